public import Checkpoints
public import TensorCore

/// Transposed 2-D convolution whose kernels touch and do not overlap: every pixel becomes a square of k × k.
///
/// One product, whose columns are then put in their places.
///
/// - Shapes: `x` [N, H, W, I] → [N, k·H, k·W, O].
/// - Weights: `weight` [I, O, k, k], `bias` [O].
/// - Source: `torch.nn.ConvTranspose2d` with `stride` k and no padding.
public struct TransposedConv2D: Sendable {
  private let weight: PackedWeights
  private let bias: Tensor
  private let kernel: Int

  /// Reads the layer's tensors; `kernel` is the stride too.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(_ weights: WeightScope, inputs: Int, outputs: Int, kernel: Int) throws {
    let stored = try weights.tensor("weight", [inputs, outputs, kernel, kernel])
    // [I, O, kh·kw, 1] → rows by tap and channel: [kh·kw, O, I].
    let taps = kernel * kernel
    let rows = stored.withUnsafeBuffer { source in
      Tensor(shape: [taps * outputs, inputs]) { out in
        for input in 0..<inputs {
          for output in 0..<outputs {
            for tap in 0..<taps {
              out[(tap * outputs + output) * inputs + input] =
                source[(input * outputs + output) * taps + tap]
            }
          }
        }
      }
    }
    weight = PackedWeights(linear: rows, storedAs: weights.type(of: "weight") ?? .float32)
    let bias = try weights.tensor("bias", [outputs])
    self.bias = joinedRows([Tensor](repeating: bias, count: taps))
    self.kernel = kernel
  }

  /// Applies the layer, and an activation in the same pass.
  public func callAsFunction(_ x: Tensor, then activation: FusedActivation = .none) -> Tensor {
    depthToSpace(linear(x, weight, bias: bias, then: activation), block: kernel)
  }
}
