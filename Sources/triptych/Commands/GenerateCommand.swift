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
  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
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
      "Start from these latents instead of the seeds' noise: safetensors, key latents, [n, 4, h, w], as diffusers "
        + "takes latents=.", valueName: "file"))
  var latents: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Save the sampler's last latents, as diffusers returns them for output_type=\"latent\".",
      valueName: "file"))
  var saveLatents: String?

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    if entities != nil, prompts.vocabulary != nil {
      throw ValidationError(
        "--entities goes with --prompt; the prompts of a vocabulary say what is in them")
    }
    guard output.noMasks else { return }
    let given = [
      ("--entities", entities != nil), ("--flip-check", flipCheck),
      ("--grounding", masks.grounding != nil), ("--mask-source", masks.maskSource != nil),
      ("--ignore-band", masks.ignoreBand),
    ].first(where: \.1)
    if let given { throw ValidationError("\(given.0) and --no-masks do not go together") }
  }

  func run() throws {
    runtime.apply()
    let model = try StableDiffusionModel(path: model.folder())
    let initial = try latents.map {
      try LatentsFile.read($0, channels: model.autoencoderConfiguration.latentChannels)
    }
    let plan = try prompts.plan(latentCount: initial?.shape[0])
    if let initial, initial.shape[0] != plan.count {
      throw GenerationError(
        .usage, "--latents", "they are \(initial.shape[0]), the run has \(plan.count) samples")
    }
    let settings = try sampling.settings(for: model, latents: initial)
    let memory = try MemoryEstimate(
      model: model, settings: settings, batch: min(sampling.batch, plan.count))
    try memory.check()
    let maskSettings = try maskSettings()
    let run = GenerationRun(
      plan: plan, settings: settings, scheduler: try model.schedulerKind(settings),
      fingerprint: try ModelFingerprint(model),
      licence: try ModelCard.licence(of: model.folder.path),
      latentsDigest: try latents.map(FileDigest.sha256), masks: maskSettings,
      shardSize: output.shardSize, rules: try rules(hasMasks: maskSettings != nil),
      numerics: (runtime.precision.rawValue, KernelLevel.selected))
    let path = output.output ?? "Output/\(run.name)"
    let shards = try part.shards(of: run.layout)
    guard !output.dryRun else { return try describe(run, path: path, memory: memory) }
    try checkWhole(shards, of: run.layout)
    try checkLatents(run)
    for file in [saveLatents, output.contactSheet].compactMap({ $0 }) {
      try RunSheet.checkPlace(file)
    }
    // A folder that is there holds a part of the run already.
    if !ResourceFolder.isFolder(path) {
      try DiskEstimate(count: plan.count, width: settings.width, height: settings.height)
        .check(at: path)
    }
    try make(run, shards: shards, model: model, initial: initial, path: path)
  }

  /// Files about the whole run cannot be made from a part of it.
  private func checkWhole(_ shards: [Int], of layout: RunLayout) throws {
    guard shards.count < layout.shardCount else { return }
    for (option, file) in [
      ("--save-latents", saveLatents), ("--contact-sheet", output.contactSheet),
    ] where file != nil {
      throw GenerationError(
        .usage, option, "goes with a whole run, not with --shards, --worker or a Slurm array")
    }
  }

  /// How masks are read; nil where there are to be none.
  private func maskSettings() throws -> MaskSettings? {
    guard !output.noMasks else { return nil }
    guard prompts.prompt.isEmpty || entities != nil else {
      Console.note(
        "triptych: nothing to find is named, so pictures are made alone; --entities a,b finds a and b"
      )
      return nil
    }
    return MaskSettings(
      source: try masks.source(), composition: masks.composition,
      entities: try entities.map(EntityList.parse) ?? [], flipCheck: flipCheck)
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

  private func make(
    _ run: GenerationRun, shards: [Int], model: StableDiffusionModel, initial: Tensor?,
    path: String
  ) throws {
    if let filters {
      try FilterRulesFile.check(run.rules, against: run.classes(), file: filters)
    }
    let maker = try SampleMaker(
      model: model, plan: run.plan, settings: run.settings, masks: run.masks,
      initialLatents: initial)
    let folder = try RunFolder.open(
      path: path, configuration: run.configuration, classes: run.classes(), layout: run.layout,
      numerics: run.numericsFingerprint,
      access: shards.count == run.layout.shardCount ? .exclusive : .shared)
    let reporter = ProgressReporter(
      total: shards.reduce(0) { $0 + run.layout.indices(ofShard: $1).count }, unit: "image")
    let clock = ContinuousClock()
    let start = clock.now
    let pipeline = GenerationPipeline(run, maker: maker, batch: sampling.batch)
    let (summary, finalLatents) = try pipeline.fill(
      folder, shards: shards, keepsLatents: saveLatents != nil
    ) { event in
      if Interruption.signalNumber != 0 { reporter.finish() }
      try Interruption.check(path)
      switch event {
      case .progress(let done): reporter.update(done: done)
      case .working: break
      case .rejected(let index, let attempt, let reasons):
        guard runtime.json else { break }
        try Console.result(
          .object([
            .init("event", "rejected"), .init("index", .integer(Int64(index))),
            .init("attempt", .integer(Int64(attempt))),
            .init("reasons", .array(reasons.map { .string($0) })),
          ]))
      case .note(let text):
        reporter.finish()
        Console.note("triptych: \(Console.oneLine(text))")
      case .kept(let record, let shard):
        guard runtime.json else { break }
        let head: [JSONValue.Member] = [
          .init("event", "sample"), .init("shard", .integer(Int64(shard))),
        ]
        try Console.result(.object(head + (record.json.members ?? [])))
      }
    }
    reporter.finish()
    try folder.close()
    if let saveLatents, let finalLatents { try LatentsFile.write(finalLatents, to: saveLatents) }
    if let sheet = output.contactSheet {
      try RunSheet.write(try RunSheet.draw(run, in: path), to: sheet)
    }
    try finish(summary, path: path, seconds: (clock.now - start) / .seconds(1))
  }

  private func finish(
    _ summary: GenerationPipeline.Summary, path: String, seconds: Double
  ) throws {
    let each = summary.made > 0 ? seconds / Double(summary.made) : 0
    let peak = ProcessUsage.peakResidentBytes
    let noun = summary.samples == 1 ? "picture" : "pictures"
    var lines = ["\(summary.samples) \(noun), \(summary.accepted) accepted, in \(path)"]
    if summary.made > 0 {
      let rounded = (each * 100).rounded() / 100
      lines.append(
        "\(summary.made) made now, \(rounded) s each, peak memory \(MemoryEstimate.text(peak))")
    } else {
      lines.append("all were there already")
    }
    if let sheet = output.contactSheet { lines.append("contact sheet: \(sheet)") }
    try runtime.finish(
      [
        .init("samples", .integer(Int64(summary.samples))),
        .init("accepted", .integer(Int64(summary.accepted))), .init("output", .string(path)),
        .init("seconds_per_sample", .number(each)), .init("peak_rss_bytes", .integer(Int64(peak))),
      ], text: lines.joined(separator: "\n"))
    // A worker beyond the last shard has nothing to do, and has done it.
    if summary.accepted == 0 && summary.samples > 0 { throw ExitCode(ExitCodes.answerIsNo) }
  }

  private func describe(_ run: GenerationRun, path: String, memory: MemoryEstimate) throws {
    let disk = DiskEstimate(
      count: run.plan.count, width: run.settings.width, height: run.settings.height)
    let prompts = (0..<min(8, run.plan.count)).map { run.plan.sample($0).prompt }
    let settings = run.settings
    let text =
      [
        "\(run.plan.count) pictures of \(settings.width) x \(settings.height) pixels, "
          + "\(settings.steps) steps, guidance \(settings.guidance), in \(path)"
      ]
      + prompts.enumerated().map { "  \($0): \(Console.oneLine($1))" }
      + [
        "disk: up to \(MemoryEstimate.text(disk.bytes)); memory: about \(MemoryEstimate.text(memory.total))"
      ]
    try runtime.finish(
      [
        .init("samples", .integer(Int64(run.plan.count))), .init("output", .string(path)),
        .init("prompts", .array(prompts.map { .string($0) })),
        .init("disk_bytes", .integer(Int64(disk.bytes))),
        .init("peak_bytes", .integer(Int64(memory.total))),
      ], text: text.joined(separator: "\n"))
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
