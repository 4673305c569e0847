import ArgumentParser
import CanonicalJSON
import Generation
import OpenVocabulary
import TensorCore

/// `triptych bench`: how long a part of a model takes here.
struct BenchCommand: ParsableCommand {
  /// What can be timed: parts of a diffusion model, or a segmenter.
  enum Part: Equatable, ExpressibleByArgument {
    case model(ModelBenchmark.Part)
    case segmenter(SegmenterArchitecture)

    init?(argument: String) {
      if let part = ModelBenchmark.Part(rawValue: argument) {
        self = .model(part)
      } else if let architecture = SegmenterArchitecture(rawValue: argument) {
        self = .segmenter(architecture)
      } else {
        return nil
      }
    }

    var name: String {
      switch self {
      case .model(let part): part.rawValue
      case .segmenter(let architecture): architecture.rawValue
      }
    }

    static var allValueStrings: [String] {
      ModelBenchmark.Part.allCases.map(\.rawValue)
        + SegmenterArchitecture.allCases.map(\.rawValue)
    }
  }

  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Times a part of a model on this machine.",
    discussion:
      "One run that is not counted comes first. The denoiser runs on --batch rows, one pass; a segmenter (lseg, sed: "
      + "--model is its file) from a picture and --labels features to logits.")

  @Option(name: .long, help: ArgumentHelp("What to time.", valueName: "part"))
  var part: Part

  @OptionGroup var model: ModelOptions
  @OptionGroup var adapters: AdapterOptions

  @Option(name: .long, help: ArgumentHelp("Samples at once.", valueName: "n"))
  var batch = 1

  @Option(
    name: .long,
    help: ArgumentHelp("Side of the picture in pixels (default: the model's own).", valueName: "n"))
  var size: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Denoising steps of a picture (default: the model's own).", valueName: "n"))
  var steps: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With a segmenter: how many labels (default: \(usualLabels)).", valueName: "n"))
  var labels: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("With sed: as in triptych segment.", valueName: "k"))
  var earlyRejection: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("With sed: as in triptych segment.", valueName: "n|all"))
  var classChunk: SegmenterOptions.ClassChunk?

  @Option(name: .long, help: ArgumentHelp("Runs that are counted.", valueName: "n"))
  var `repeat` = 3

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Work through large pictures piece by piece in the autoencoder; changes no byte.",
      valueName: "auto|off"))
  var vaeTiling = MemoryOptions.Tiling.auto

  @Flag(help: "Tell what one more run spends its time on, operation by operation.")
  var profile = false

  @OptionGroup var runtime: RuntimeOptions

  static let repeatLimit = 100_000
  private static let usualLabels = 150

  func validate() throws {
    guard 1...SamplingOptions.batchLimit ~= batch else {
      throw ValidationError("--batch: found \(batch), expected 1 to \(SamplingOptions.batchLimit)")
    }
    guard 1...Self.repeatLimit ~= self.repeat else {
      throw ValidationError("--repeat: found \(self.repeat), expected 1 to \(Self.repeatLimit)")
    }
    if let labels, !(1...LabelList.sizeLimit ~= labels) {
      throw ValidationError("--labels: found \(labels), expected 1 to \(LabelList.sizeLimit)")
    }
    if let earlyRejection, earlyRejection < 1 {
      throw ValidationError("--early-rejection: found \(earlyRejection), expected 1 or more")
    }
    switch part {
    case .model:
      guard labels == nil, earlyRejection == nil, classChunk == nil else {
        throw ValidationError(
          "--labels, --early-rejection and --class-chunk go with --part lseg or sed")
      }
    case .segmenter(let architecture):
      guard model.model != nil else {
        throw ValidationError("--part \(architecture.rawValue) needs --model: the segmenter's file")
      }
      guard batch == 1, steps == nil else {
        throw ValidationError("--batch and --steps do not go with a segmenter")
      }
    }
  }

  func run() throws {
    runtime.apply()
    switch part {
    case .model(let part): try run(part)
    case .segmenter(let architecture): try run(architecture)
    }
  }

  private func run(_ architecture: SegmenterArchitecture) throws {
    let opened = try SegmenterModel(path: model.path(), architecture: architecture)
    var settings = SegmenterSettings()
    settings.rejection = earlyRejection
    settings.classChunk = classChunk?.count
    settings.inputSide = size ?? SegmenterBenchmark.usualSide(architecture)
    try settings.check(architecture)
    let side = settings.inputSide ?? 0
    let benchmark = SegmenterBenchmark(
      try opened.network(), templates: opened.templateCount ?? 1, side: side,
      labels: labels ?? Self.usualLabels, settings: settings)
    try measure(side: side) { _ = try benchmark.once() }
  }

  private func run(_ part: ModelBenchmark.Part) throws {
    let model = try adapters.applied(to: model.load())
    let defaults = try SamplingDefaults(for: model)
    let side = size ?? model.usualSide
    let settings = SamplingSettings(
      steps: steps ?? defaults.steps, guidance: defaults.guidance, width: side, height: side)
    try settings.check(pixelsPerCell: model.pixelsPerCell)
    var request = MemoryPlan.Request(settings: settings)
    request.tiling = vaeTiling.tiling
    request.encodes = part == .vaeEncode
    try MemoryPlan.check(model, request, batch: batch)
    let benchmark = try ModelBenchmark(
      part, model: model, settings: settings, batch: batch, tiling: request.tiling,
      grounding: self.model.embeddedGrounding())
    try measure(side: side, benchmark.once)
  }

  /// Times what is done once.
  private func measure(side: Int, _ once: () throws -> Void) throws {
    let clock = ContinuousClock()
    var seconds: [Double] = []
    var start = 0.0
    for number in 0...self.repeat {
      try Interruption.check("bench", leaving: "nothing is printed")
      let time = try clock.measure { try once() }
      if number > 0 {
        seconds.append(time / .seconds(1))
      } else {
        start = ProcessUsage.processorSeconds
      }
    }
    let processor = (ProcessUsage.processorSeconds - start) / Double(self.repeat)
    let table = try profile ? OperationTable(of: once) : nil
    try report(seconds, processor: processor, side: side, table)
  }

  private func report(_ seconds: [Double], processor: Double, side: Int, _ table: OperationTable?)
    throws
  {
    let sorted = seconds.sorted()
    let middle = sorted.count / 2
    let median =
      sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    let level = KernelLevel.selected.rawValue
    let peak = ProcessUsage.peakResidentBytes
    try runtime.finish(
      [
        .init("part", .string(part.name)), .init("batch", .integer(Int64(batch))),
        .init("size", .integer(Int64(side))),
        .init("seconds", .array(seconds.map { .number($0) })), .init("median", .number(median)),
        .init("cpu_seconds", .number(processor)),
        .init("peak_rss_bytes", .integer(Int64(peak))), .init("isa", .string(level)),
        .init("precision", .string(runtime.precision.rawValue)),
        .init("threads", .integer(Int64(Parallel.threadCount))),
      ] + (table.map { [.init("profile", $0.json)] } ?? []),
      text:
        "\(part.name), batch \(batch), \(side) pixels, \(level), \(runtime.precision.rawValue), "
        + "\(Parallel.threadCount) thread(s): median \(rounded(median)) s "
        + "(\(rounded(sorted[0])) to \(rounded(sorted[sorted.count - 1])) in \(sorted.count)), "
        + "peak memory \(MemorySize.text(peak))" + (table.map { "\n" + $0.text } ?? ""))
  }

  private func rounded(_ seconds: Double) -> Double { (seconds * 10_000).rounded() / 10_000 }
}
