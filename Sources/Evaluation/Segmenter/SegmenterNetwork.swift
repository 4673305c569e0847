import Checkpoints
import NeuralLayers
import TensorCore

/// A small encoder and decoder that gives every class a logit at a quarter of the picture's resolution.
///
/// Four halvings, each a convolution of stride 2 and residual blocks behind it from the second on; then twice a bilinear
/// doubling beside the map of that size.
///
/// - Shapes: `x` [N, H, W, 3] in −1...1, both sides multiples of 16 → [N, H/4, W/4, classes + 1], background first.
/// - Weights: `down.i.conv`, `down.i.norm`, `blocks.i`, `up.i.conv`, `up.i.norm`, `head`.
struct SegmenterNetwork: Sendable {
  /// A convolution, a norm and a SiLU.
  private struct Stage: Sendable {
    let conv: Conv2D
    let norm: GroupNorm

    init(_ weights: WeightScope, inputs: Int, outputs: Int, stride: Int) throws {
      conv = try Conv2D(
        weights / "conv", inputs: inputs, outputs: outputs, kernel: 3, stride: stride)
      norm = try GroupNorm(
        weights / "norm", channels: outputs, groups: SegmenterConfiguration.groups, epsilon: 1e-5)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { norm(conv(x), thenSiLU: true) }
  }

  /// Two such and the input beside them.
  private struct Block: Sendable {
    let first: Stage
    let second: Stage

    init(_ weights: WeightScope, channels: Int) throws {
      first = try Stage(weights / 0, inputs: channels, outputs: channels, stride: 1)
      second = try Stage(weights / 1, inputs: channels, outputs: channels, stride: 1)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { x + second(first(x)) }
  }

  private let down: [Stage]
  private let blocks: [Block]
  private let up: [Stage]
  private let head: Conv2D

  /// Reads the network's tensors and refuses leftovers.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent, misshapen or has no place.
  init(_ weights: WeightScope, _ configuration: SegmenterConfiguration) throws {
    let widths = configuration.widths
    down = try widths.indices.map { level in
      try Stage(
        weights / "down" / level, inputs: level == 0 ? 3 : widths[level - 1],
        outputs: widths[level], stride: 2)
    }
    blocks = try (1..<4).map { try Block(weights / "blocks" / $0, channels: widths[$0]) }
    up = try [2, 1].map { level in
      try Stage(
        weights / "up" / level, inputs: widths[level + 1] + widths[level], outputs: widths[level],
        stride: 1)
    }
    head = try Conv2D(
      weights / "head", inputs: widths[1], outputs: configuration.classes.count + 1, kernel: 1)
    try weights.checkEverythingUsed()
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var maps = [down[0](x)]
    for level in 1..<4 { maps.append(blocks[level - 1](down[level](maps[level - 1]))) }
    var map = maps[3]
    for (stage, beside) in zip(up, [maps[2], maps[1]]) {
      let (_, h, w, _) = beside.dimensions4("segmenter")
      map = stage(joinedChannels([bilinearResized(map, height: h, width: w), beside]))
    }
    return head(map)
  }

  /// Weights to begin training from: normal draws of variance 2 / inputs, biases 0, norms 1.
  ///
  /// - Throws: `CheckpointError` where the configuration implies tensors beyond all measure.
  static func random(
    _ configuration: SegmenterConfiguration, seed: UInt64
  ) throws -> [String: Tensor] {
    let audit = WeightAudit(DictionarySource([:], name: "a new segmenter"))
    _ = try SegmenterNetwork(audit.scope, configuration)
    let streams = RandomStreams(seed: seed)
    var tensors: [String: Tensor] = [:]
    for (index, finding) in audit.report.missing.enumerated() {
      let shape = finding.expected ?? []
      let inputs = shape.dropFirst().reduce(1, *)
      tensors[finding.key] =
        shape.count == 4
        ? Float((2 / Double(inputs)).squareRoot())
          * streams.normals(stream: UInt64(index), shape: shape)
        : Tensor(repeating: finding.key.hasSuffix("weight") ? 1 : 0, shape: shape)
    }
    return tensors
  }
}
