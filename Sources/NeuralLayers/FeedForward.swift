public import Checkpoints
public import TensorCore

/// A linear map to four times the width through a gated GELU, and one back.
///
/// - Shapes: `x` [N, T, D] → [N, T, D].
/// - Weights: `net.0.proj` (D → 8D), `net.2` (4D → D).
/// - Source: diffusers `FeedForward` with `activation_fn="geglu"`.
public struct FeedForward: Sendable {
  private let gated: Linear
  private let output: Linear

  /// Reads the layer's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(_ weights: WeightScope, width: Int) throws {
    gated = try Linear(weights / "net" / 0 / "proj", inputs: width, outputs: 8 * width)
    output = try Linear(weights / "net" / 2, inputs: 4 * width, outputs: width)
  }

  /// Applies the layer; `residual` is added to the output.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil) -> Tensor {
    output(geglu(gated(x)), adding: residual)  // [N, T, 8D] → [N, T, 4D] → [N, T, D]
  }
}
