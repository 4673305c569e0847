import Checkpoints
import NeuralLayers
import TensorCore

/// A block of ConvNeXt: a depthwise convolution, a layer norm, two linear maps with a GELU between, and a factor for each
/// channel, added to its input.
///
/// - Shapes: `x` [N, H, W, C] → [N, H, W, C].
/// - Source: Liu et al., "A ConvNet for the 2020s" (2022); timm `ConvNeXtBlock`.
struct ConvNeXtBlock: Sendable {
  /// What a checkpoint calls the parts.
  struct Names {
    var convolution: String
    var widening: String
    var narrowing: String

    /// timm's.
    static let timm = Names(convolution: "conv_dw", widening: "mlp.fc1", narrowing: "mlp.fc2")
    /// Those of ConvNeXt's authors.
    static let original = Names(convolution: "dwconv", widening: "pwconv1", narrowing: "pwconv2")
  }

  static let epsilon: Float = 1e-6
  private static let widening = 4

  private let convolution: DepthwiseConv2D
  private let norm: LayerNorm
  private let wide: Linear
  private let narrow: PackedWeights
  private let narrowBias: Tensor

  /// Reads the block's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  init(_ weights: WeightScope, width: Int, kernel: Int, names: Names) throws {
    convolution = try DepthwiseConv2D(
      weights / names.convolution, channels: width, kernel: kernel)
    norm = try LayerNorm(weights / "norm", width: width, epsilon: Self.epsilon)
    let inner = Self.widening * width
    wide = try Linear(weights / names.widening, inputs: width, outputs: inner)
    // The factors of the channels are those of the last map's rows.
    let factors = try weights.tensor("gamma", [width])
    let last = weights / names.narrowing
    narrow = PackedWeights(
      linear: try last.matrix("weight", width, inner).scaledRows(by: factors),
      storedAs: last.type(of: "weight") ?? .float32)
    narrowBias = try last.tensor("bias", [width]) * factors
  }

  /// Applies the block.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = wide(norm(convolution(x)), then: .gelu)  // [N, H, W, 4 C]
    return linear(y, narrow, bias: narrowBias, adding: x)
  }
}

extension Tensor {
  /// Each row of a matrix times its own factor.
  fileprivate func scaledRows(by factors: Tensor) -> Tensor {
    let columns = lastDimension
    return withUnsafeBuffer { x in
      factors.withUnsafeBuffer { factors in
        Tensor(shape: shape) { out in
          for index in 0..<out.count { out[index] = x[index] * factors[index / columns] }
        }
      }
    }
  }
}
