import ArgumentParser
import CanonicalJSON
import Checkpoints
import DatasetFormat
import Generation
import LatentDiffusion
import MaskGrounding
import TensorCore

/// `triptych generate`: pictures from prompts or a vocabulary.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract:
      "Makes pictures with masks from prompts or from a vocabulary, and writes them to a run folder.",
    discussion: """
      Sample i has its own seed, from the run's seed and i alone: its bytes depend neither on batch nor on threads. \
      Stopped at any time, the same command goes on.
      """)

  @OptionGroup(title: "What to show") var prompts: PromptOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Model") var adapters: AdapterOptions
  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup(title: "Memory") var memory: MemoryOptions
  @OptionGroup(title: "Masks") var masks: MaskOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What to find in the pictures of --prompt: words with commas between them.",
      valueName: "list"))
  var entities: String?

  @Flag(
    name: .long, help: "Compare each mask with that of the mirrored picture; costs a second pass.")
  var flipCheck = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Rules for accepting samples, in YAML; rejected ones are made again with other seeds.",
      valueName: "file"))
  var filters: String?

  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "A part of the run") var part: ShardOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Also write the run as data sets, to exports/ in its folder: \(ExportFormatList.known).",
      valueName: "formats"))
  var export: ExportFormatList?

  @OptionGroup(title: "With --export") var exports: ExportSettings

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Start from these latents instead of the seeds' noise: safetensors, key latents, [n, 4, h, w], as diffusers "
        + "takes latents=.", valueName: "file"))
  var latents: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Save the sampler's last latents, as diffusers returns them for output_type=\"latent\".",
      valueName: "file"))
  var saveLatents: String?

  @OptionGroup var measuring: MeasureOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    try prompts.validateSource()
    if entities != nil, (prompts.vocabulary ?? prompts.preset) != nil {
      throw ValidationError(
        "--entities goes with --prompt; the prompts of a vocabulary say what is in them")
    }
    guard output.noMasks else { return }
    let given = [
      ("--entities", entities != nil), ("--flip-check", flipCheck),
      ("--grounding", masks.grounding != nil), ("--mask-source", masks.maskSource != nil),
      ("--ignore-band", masks.ignoreBand), ("--export", export != nil),
    ].first(where: \.1)
    if let given { throw ValidationError("\(given.0) and --no-masks do not go together") }
  }

  func run() throws {
    runtime.apply()
    let model = try adapters.applied(to: model.load())
    let initial = try latents.map {
      try LatentsFile.read($0, channels: model.autoencoderConfiguration.latentChannels)
    }
    let plan = try prompts.plan(latentCount: initial?.shape[0])
    if let initial, initial.shape[0] != plan.count {
      throw GenerationError(
        .usage, "--latents", "they are \(initial.shape[0]), the run has \(plan.count) samples")
    }
    let settings = try sampling.settings(for: model, latents: initial)
    let maskSettings = try maskSettings(plan)
    let run = GenerationRun(
      plan: plan, settings: settings, scheduler: try model.schedulerKind(settings),
      fingerprint: try ModelFingerprint(model), adapters: model.adapters,
      licence: try model.parts.licence(),
      latentsDigest: try latents.map(FileDigest.sha256), masks: maskSettings,
      shardSize: output.shardSize, rules: try rules(hasMasks: maskSettings != nil),
      numerics: (runtime.precision.rawValue, runtime.numericLevel))
    let path = output.output ?? "Output/\(run.name)"
    let shards = try part.shards(of: run.layout)
    guard !output.dryRun else { return try describe(run, model: model, path: path) }
    try ShardOptions.checkWhole(
      shards, of: run.layout,
      for: [
        ("--save-latents", saveLatents != nil), ("--contact-sheet", output.contactSheet != nil),
        ("--export", export != nil),
      ])
    try checkLatents(run)
    for file in [saveLatents, output.contactSheet].compactMap({ $0 }) {
      try WholeFile.checkPlace(file)
    }
    try DiskEstimate(
      count: plan.count, width: settings.width, height: settings.height,
      hasMasks: maskSettings != nil
    ).check(forRunAt: path)
    let fit = try memory.fit(
      model, memory.request(plan, settings: settings, masks: maskSettings), batch: sampling.batch)
    try make(run, shards: shards, model: model, initial: initial, path: path, fit: fit)
  }

  /// How masks are read; nil where there are to be none.
  private func maskSettings(_ plan: GenerationPlan) throws -> MaskSettings? {
    guard !output.noMasks else { return nil }
    let saysClasses = !plan.source.classes.isEmpty
    if saysClasses, entities != nil {
      throw GenerationError(.usage, "--entities", "the plan says what its prompts name")
    }
    guard saysClasses || entities != nil else { return nil }
    return try masks.settings(
      for: self.model, entities: try entities.map(EntityList.parse) ?? [], flipCheck: flipCheck)
  }

  /// What people should know of the masks before they wait for them; nil where all is as asked for.
  func maskNotice(_ settings: MaskSettings?) throws -> String? {
    if let settings { return try settings.notice(for: prompts.prompt) }
    return output.noMasks
      ? nil : "nothing to find is named, so pictures are made alone; --entities a,b finds a and b"
  }

  /// Which samples are accepted.
  private func rules(hasMasks: Bool) throws -> FilterRules {
    let usual = FilterRules.usual(hasMasks: hasMasks, hasFlipCheck: flipCheck)
    let rules = try filters.map { try FilterRulesFile.read($0, changing: usual) } ?? usual
    if rules.needsAgreement, !flipCheck {
      throw GenerationError(
        .usage, filters ?? "--filters",
        "a rule asks for min_agreement, which needs --flip-check")
    }
    return rules
  }

  private func describe(
    _ run: GenerationRun, model: StableDiffusionModel, path: String
  ) throws {
    let summary = try measuring.summary(
      run.plan, model: model, settings: run.settings, masks: run.masks, batch: sampling.batch,
      memory: memory)
    try runtime.finish(summary.members(output: path), text: summary.text(output: path))
  }

  /// Latents of a whole run are held until its end.
  private func checkLatents(_ run: GenerationRun) throws {
    guard saveLatents != nil else { return }
    let each = 4 * run.settings.width * run.settings.height / 16
    guard run.plan.count < (4 << 30) / each else {
      throw GenerationError(
        .usage, "--save-latents",
        "\(run.plan.count) samples are too many to hold; make fewer at a time")
    }
  }
}
