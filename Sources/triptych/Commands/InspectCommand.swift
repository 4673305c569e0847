import ArgumentParser
import CanonicalJSON
import Generation
import Imaging
import LatentDiffusion
import MaskGrounding

/// `triptych inspect`: where a model sees entities, in one picture.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows where a model sees things, in a picture it makes or in one of yours.",
    discussion: """
      Writes panel.png (the picture, and for each entity its map, mask and overlay with scores), mask.png (a palette; ids \
      in the order of the entities) and inspect.json. Without --image the picture is the first one of triptych generate \
      with the same prompt and seed. With it the picture, PNG or JPEG of any size, is inverted with the prompt, without \
      guidance if not said otherwise, and the model is shown its latents at each step.
      """)

  @Argument(help: ArgumentHelp("What the picture shows, or is to show.", valueName: "prompt"))
  var prompt: String

  @Option(
    name: .long,
    help: ArgumentHelp("What to look for: words with commas between them.", valueName: "list"))
  var entities: String

  @Option(
    name: .long, help: ArgumentHelp("Look at this PNG or JPEG.", valueName: "file"))
  var image: String?

  @Flag(name: .long, help: "Also show what is seen at each step alone.")
  var stepsSweep = false

  @Option(
    name: .long,
    help: ArgumentHelp("With --image: how noise is found.", valueName: "method"))
  var inversion: LatentInverter.Method = .ddim

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --image, where proportions differ: take its middle, or stretch all of it.",
      valueName: "way"))
  var fit: ImageFit = .crop

  @Option(name: .long, help: ArgumentHelp("The seed, as of a run.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    name: .long,
    help: ArgumentHelp("Folder of the three files; made if missing.", valueName: "folder"))
  var output: String

  @OptionGroup(title: "Masks") var masks: MaskOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Model") var adapters: AdapterOptions
  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output: is empty, expected a folder") }
    if image?.isEmpty == true { throw ValidationError("--image: is empty, expected a file") }
    if image != nil, sampling.eta != 0 {
      throw ValidationError("--eta and --image do not go together: chance cannot be inverted")
    }
  }

  func run() throws {
    runtime.apply()
    let names = try EntityList.parse(entities)
    let model = try adapters.applied(to: model.load())
    var settings = try sampling.settings(for: model, latents: nil)
    if image != nil { settings.guidance = sampling.guidance ?? 1 }
    let picture = try image.map(GivenPicture.read)
    try checkMemory(model, settings, entityCount: names.count)
    let folder = try InspectionFolder(path: output)
    let loaded = try LoadedModel(model)
    Self.noteSurplus(loaded.surplusTokens(prompt))
    let inspector = try Inspector(
      loaded,
      Inspector.Settings(
        sampling: settings, masks: try masks.settings(for: self.model, entities: names),
        sweepsSteps: stepsSweep))
    let reporter = ProgressReporter(total: settings.steps, unit: "step")
    let subject: Inspector.Subject =
      picture.map { .given($0, .init(method: inversion, seed: seed, fit: fit)) }
      ?? .made(seed: seed)
    let inspection = try inspector.inspect(prompt, subject) { share in
      try Interruption.check(output, leaving: "nothing was written", reporter)
      reporter.update(done: share * Double(settings.steps))
    }
    reporter.finish()
    for notice in inspection.notices { Console.note("triptych: \(Console.oneLine(notice))") }
    let findings = inspection.json(prompt: prompt, about: try about(settings, model))
    try folder.write(inspection, title: prompt, findings: findings)
    try report(inspection, findings, folder)
  }

  /// How the picture came about.
  private func about(
    _ settings: SamplingSettings, _ model: StableDiffusionModel
  ) throws -> [JSONValue.Member] {
    var members: [JSONValue.Member] = [.init("image", image.map { .string($0) } ?? .null)]
    if image == nil {
      members += [
        .init("seed", .string(String(seed))),
        .init("scheduler", .string(try model.schedulerKind(settings).rawValue)),
      ]
    } else {
      members += [
        .init("inversion", .string(inversion.rawValue)), .init("fit", .string(fit.rawValue)),
      ]
      if inversion == .noise { members.append(.init("seed", .string(String(seed)))) }
    }
    return model.adapters.named(in: members) + [
      .init("steps", .integer(Int64(settings.steps))),
      .init("guidance", .number(settings.guidance)),
      .init("width", .integer(Int64(settings.width))),
      .init("height", .integer(Int64(settings.height))),
      .init("mask_source", .string(masks.grounding == nil ? "attention" : "grounding")),
    ]
  }

  /// A map of each entity at the picture's size, twice: as resized, and as composed; the latents of every step.
  private func checkMemory(
    _ model: StableDiffusionModel, _ settings: SamplingSettings, entityCount: Int
  ) throws {
    var request = MemoryPlan.Request(settings: settings)
    request.encodes = image != nil
    let pixels = settings.width * settings.height
    let maps = 8 * entityCount * pixels
    let latents = image == nil ? 0 : pixels / 4 * settings.steps
    try MemoryPlan.check(model, request, available: MemorySize.machine - maps - latents)
  }

  private func report(
    _ inspection: Inspection, _ findings: JSONValue, _ folder: InspectionFolder
  ) throws {
    let lines = inspection.entities.enumerated().map { index, entity -> String in
      let score = inspection.composed.scores[index]
      let name = "\(entity.classID): \(Console.oneLine(entity.name))"
      let presence = "presence \(Self.text(Double(score.presence)))"
      guard score.isPresent else { return "\(name): absent, \(presence)" }
      return "\(name): present, \(presence), area \(Self.text(Double(score.area))), confidence "
        + "\(Self.text(Double(score.confidence))), edge \(Self.text(Double(score.edgeConfidence)))"
    }
    try runtime.finish(
      [
        .init("output", .string(folder.path)), .init("panel", .string(folder.panel)),
        .init("mask", .string(folder.mask)),
      ] + (findings.members ?? []),
      text: (lines + [folder.panel, folder.mask, folder.findings]).joined(separator: "\n"))
  }

  /// Four places.
  static func text(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }

  static func noteSurplus(_ tokens: Int) {
    guard tokens > 0 else { return }
    Console.note("triptych: the model does not read the last \(tokens) token(s) of the prompt")
  }
}
