public import ArgumentParser
import CanonicalJSON
public import Generation
import TensorCore

extension ModelBenchmark.Part: ExpressibleByArgument {}

/// `triptych bench`: how long a part of a model takes here.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Times a part of a model on this machine.",
    discussion:
      "One run that is not counted comes first. The denoiser runs on --batch rows, one pass.")

  @Option(name: .long, help: ArgumentHelp("What to time.", valueName: "part"))
  var part: ModelBenchmark.Part

  @OptionGroup var model: ModelOptions

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

  @Option(name: .long, help: ArgumentHelp("Runs that are counted.", valueName: "n"))
  var `repeat` = 3

  @OptionGroup var runtime: RuntimeOptions

  static let repeatLimit = 100_000

  func validate() throws {
    guard 1...SamplingOptions.batchLimit ~= batch else {
      throw ValidationError("--batch: found \(batch), expected 1 to \(SamplingOptions.batchLimit)")
    }
    guard 1...Self.repeatLimit ~= self.repeat else {
      throw ValidationError("--repeat: found \(self.repeat), expected 1 to \(Self.repeatLimit)")
    }
  }

  func run() throws {
    runtime.apply()
    let model = try model.load()
    let defaults = try SamplingDefaults(for: model)
    let side = size ?? model.usualSide
    let settings = SamplingSettings(
      steps: steps ?? defaults.steps, guidance: defaults.guidance, width: side, height: side)
    try settings.check(pixelsPerCell: model.pixelsPerCell)
    try MemoryEstimate(model: model, settings: settings, batch: batch).check()
    let benchmark = try ModelBenchmark(part, model: model, settings: settings, batch: batch)
    let clock = ContinuousClock()
    var seconds: [Double] = []
    for number in 0...self.repeat {
      guard Interruption.signalNumber == 0 else {
        throw GenerationError(.interrupted, "bench", "stopped")
      }
      let time = try clock.measure { try benchmark.once() }
      if number > 0 { seconds.append(time / .seconds(1)) }
    }
    try report(seconds, side: side)
  }

  private func report(_ seconds: [Double], side: Int) throws {
    let sorted = seconds.sorted()
    let middle = sorted.count / 2
    let median =
      sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    let level = KernelLevel.selected.rawValue
    let peak = ProcessUsage.peakResidentBytes
    try runtime.finish(
      [
        .init("part", .string(part.rawValue)), .init("batch", .integer(Int64(batch))),
        .init("size", .integer(Int64(side))),
        .init("seconds", .array(seconds.map { .number($0) })), .init("median", .number(median)),
        .init("peak_rss_bytes", .integer(Int64(peak))), .init("isa", .string(level)),
        .init("precision", .string(runtime.precision.rawValue)),
        .init("threads", .integer(Int64(Parallel.threadCount))),
      ],
      text: "\(part.rawValue), batch \(batch), \(side) pixels, \(level), "
        + "\(Parallel.threadCount) thread(s): median \(rounded(median)) s "
        + "(\(rounded(sorted[0])) to \(rounded(sorted[sorted.count - 1])) in \(sorted.count)), "
        + "peak memory \(MemoryEstimate.text(peak))")
  }

  private func rounded(_ seconds: Double) -> Double { (seconds * 10_000).rounded() / 10_000 }
}
