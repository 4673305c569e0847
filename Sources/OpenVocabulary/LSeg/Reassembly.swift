import Checkpoints
import NeuralLayers
import TensorCore

/// Tokens of one depth as a feature map of their level: the class token is mixed into each, then the map is brought to
/// the level's stride, from 4 to 32 pixels.
///
/// - Shapes: tokens [N, 1 + h·w, D] → [N, h·p/s, w·p/s, C], p the patch's side and s the stride.
/// - Weights: `0.project.0` (2D → D), `3` (1×1, D → C), and `4`: transposed k×k where the map grows, 3×3 with stride 2
///   where it shrinks.
/// - Source: "Vision Transformers for Dense Prediction" (2021), "Read" with projection and "Concatenate", "Resample".
struct Reassembly: Sendable {
  private enum Resampling: Sendable {
    case none
    case growing(TransposedConv2D)
    case shrinking(Conv2D)
  }

  private let tokenMap: PackedWeights
  private let classMap: PackedWeights
  private let classBias: Tensor
  private let projection: Linear
  private let resampling: Resampling

  /// Reads the level's tensors; `level` is 0 for the finest map.
  init(_ weights: WeightScope, _ sizes: VisionTransformerSizes, level: Int, channels: Int) throws {
    let width = sizes.width
    let readout = weights / 0 / "project" / 0
    let stored = try readout.tensor("weight", [width, 2 * width])
    let type = readout.type(of: "weight") ?? .float32
    // The map of (token, class token) is the sum of two, and the class token's is the same for all tokens.
    tokenMap = PackedWeights(linear: stored.columns(0..<width), storedAs: type)
    classMap = PackedWeights(linear: stored.columns(width..<2 * width), storedAs: type)
    classBias = try readout.tensor("bias", [width])
    projection = try Linear(weights / 3, inputs: width, outputs: channels)
    let stride = 4 << level
    if sizes.patch > stride {
      resampling = .growing(
        try TransposedConv2D(
          weights / 4, inputs: channels, outputs: channels, kernel: sizes.patch / stride))
    } else if sizes.patch < stride {
      resampling = .shrinking(
        try Conv2D(
          weights / 4, inputs: channels, outputs: channels, kernel: 3, stride: stride / sizes.patch)
      )
    } else {
      resampling = .none
    }
  }

  func callAsFunction(_ tokens: Tensor, height: Int, width: Int) -> Tensor {
    let (n, count, d) = tokens.dimensions3("Reassembly")
    let samples = (0..<n).map { tokens.rows($0..<$0 + 1).reshaped([count, d]) }
    let shift = linear(
      joinedRows(samples.map { $0.rows(0..<1) }), classMap, bias: classBias)  // [N, D]
    let grid = joinedRows(samples.map { $0.rows(1..<count) }).reshaped([n, height, width, d])
    let read = gelu(convolution(grid, tokenMap, shift: shift))
    let map = projection(read)  // [N, h, w, C]
    switch resampling {
    case .none: return map
    case .growing(let layer): return layer(map)
    case .shrinking(let layer): return layer(map)
    }
  }
}
