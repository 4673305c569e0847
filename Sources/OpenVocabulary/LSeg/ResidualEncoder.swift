import Checkpoints
import NeuralLayers
import TensorCore

/// The sizes of a residual network of bottlenecks.
struct ResidualEncoderSizes: Sendable, Equatable {
  /// Channels behind the first convolution.
  let stemWidth: Int
  /// Blocks of each stage: 3, 4, 23, 3 for ResNet-101.
  let blockCounts: [Int]
  /// Inner channels of each stage's blocks.
  let widths: [Int]

  /// Where a stage's blocks are: the first stage stands behind the stem.
  static func place(_ stage: Int) -> String { stage == 0 ? "layer1.4" : "layer\(stage + 1)" }

  init(_ shape: StoredShapes) throws {
    stemWidth = try shape("pretrained.layer1.0.weight", axes: 4)[0]
    blockCounts = try (0..<4).map { try shape.count("pretrained.\(Self.place($0)).") }
    widths = try (0..<4).map {
      try shape("pretrained.\(Self.place($0)).0.conv1.weight", axes: 4)[0]
    }
  }
}

/// A residual network of bottlenecks, its four stages' maps.
///
/// - Shapes: images [N, H, W, 3] → maps at strides 4, 8, 16, 32.
/// - Weights: `layer1.0` and `layer1.1` (the first convolution and its norm), `layer1.4.i` and `layerN.i`.
/// - Source: torchvision `ResNet` (stride in the 3×3 convolution), as lang-seg's zero-shot networks cut it.
struct ResidualEncoder: Sendable {
  /// Three convolutions and a shortcut.
  private struct Block: Sendable {
    let narrowing: Conv2D
    let middle: Conv2D
    let widening: Conv2D
    let shortcut: Conv2D?

    func callAsFunction(_ x: Tensor) -> Tensor {
      relu(widening(relu(middle(relu(narrowing(x)))), adding: shortcut?(x) ?? x))
    }
  }

  private let stem: Conv2D
  private let stages: [[Block]]

  init(_ weights: WeightScope, _ sizes: ResidualEncoderSizes) throws {
    let first = weights / "layer1"
    stem = try Conv2D(
      first / 0, norm: first / 1, inputs: 3, outputs: sizes.stemWidth, kernel: 7, stride: 2)
    var inputs = sizes.stemWidth
    stages = try (0..<4).map { stage in
      let place = weights / ResidualEncoderSizes.place(stage)
      let inner = sizes.widths[stage]
      return try (0..<sizes.blockCounts[stage]).map { index in
        defer { inputs = 4 * inner }
        return try Self.block(
          place / index, inputs: inputs, inner: inner, stride: stage > 0 && index == 0 ? 2 : 1)
      }
    }
  }

  private static func block(
    _ weights: WeightScope, inputs: Int, inner: Int, stride: Int
  ) throws -> Block {
    let outputs = 4 * inner
    let needsShortcut = stride != 1 || inputs != outputs
    return Block(
      narrowing: try Conv2D(
        weights / "conv1", norm: weights / "bn1", inputs: inputs, outputs: inner, kernel: 1),
      middle: try Conv2D(
        weights / "conv2", norm: weights / "bn2", inputs: inner, outputs: inner, kernel: 3,
        stride: stride),
      widening: try Conv2D(
        weights / "conv3", norm: weights / "bn3", inputs: inner, outputs: outputs, kernel: 1),
      shortcut: needsShortcut
        ? try Conv2D(
          weights / "downsample" / 0, norm: weights / "downsample" / 1, inputs: inputs,
          outputs: outputs, kernel: 1, stride: stride) : nil)
  }

  func callAsFunction(_ image: Tensor) -> [Tensor] {
    var x = maxPooled(relu(stem(image)), window: 3, stride: 2, padding: 1)
    return stages.map { blocks in
      x = blocks.reduce(x) { $1($0) }
      return x
    }
  }
}
