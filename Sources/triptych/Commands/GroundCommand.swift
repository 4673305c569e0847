public import ArgumentParser
import CanonicalJSON
import Checkpoints
import Generation
public import MaskGrounding
import TensorCore

extension GroundingConfiguration.Statistics: ExpressibleByArgument {}

/// `triptych ground`: the grounding module alone.
struct GroundCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ground",
    abstract: "Runs a grounding module on given features.",
    discussion: """
      The features are a safetensors file: feature.LEVEL.i.cond and feature.LEVEL.i.uncond [1, c, h, w] for the \
      blocks of each level in the order the U-Net calls them, LEVEL being level0 for the latents' own size, level1 for \
      half of it and so on (for four levels also highest, high, mid, low), and entities [1, n, d]. The result is a \
      safetensors file with logits [n, H, W].
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("The module: safetensors, or a published .pth.", valueName: "path"))
  var grounding: String

  @Option(name: .long, help: ArgumentHelp("Features and entities.", valueName: "file"))
  var features: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Means and variances: those of training or of the picture itself; the file's own choice if not said.",
      valueName: "source"))
  var statistics: GroundingConfiguration.Statistics?

  @Option(name: .long, help: ArgumentHelp("Where the logits go.", valueName: "file"))
  var saveLogits: String

  @OptionGroup var runtime: RuntimeOptions

  /// Logits that are written at most: 4 GB.
  private static let logitLimit = 1 << 30

  func run() throws {
    runtime.apply()
    var module = try GroundingWeights(path: grounding).module()
    if let statistics { module.statistics = statistics }
    let file = try GroundingFeatureFile(path: features)
    let entities = try file.entities(for: module)
    let result = module(try file.features(for: module), entities: entities)
    let logits = try enlarged(result, by: module.configuration.pixelsPerCell)
    var writer = SafetensorsWriter()
    writer.add("logits", logits)
    try writer.write(to: saveLogits)
    try report(logits, module.statistics)
  }

  /// The logits at the picture's size [n, H, W].
  private func enlarged(_ result: GroundingModule.Result, by factor: Int) throws -> Tensor {
    let shape = result.logits.shape
    let (count, height, width) = (shape[1], shape[2] * factor, shape[3] * factor)
    guard count <= Self.logitLimit / height / width else {
      throw GenerationError(
        .malformed, features,
        "\(count) entities at \(width)×\(height) pixels are more than the \(Self.logitLimit) values that are made at "
          + "once; ground at most \(Self.logitLimit / height / width) at a time")
    }
    return result.logits(height: height, width: width).reshaped([count, height, width])
  }

  private func report(
    _ logits: Tensor, _ statistics: GroundingConfiguration.Statistics
  ) throws {
    let (mean, deviation) = logits.withUnsafeBuffer { values in
      let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
      let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      return (mean, (squares / Double(values.count)).squareRoot())
    }
    let (count, height, width) = (logits.shape[0], logits.shape[1], logits.shape[2])
    try runtime.finish(
      [
        .init("entities", .integer(Int64(count))),
        .init("size", [.integer(Int64(height)), .integer(Int64(width))]),
        .init("statistics", .string(statistics.rawValue)), .init("mean", .number(mean)),
        .init("std", .number(deviation)), .init("output", .string(saveLogits)),
      ],
      text: "\(count) map(s) of \(width)×\(height) logits in \(saveLogits): mean \(mean), "
        + "standard deviation \(deviation)")
  }
}
