import Checkpoints
import NeuralLayers
import TensorCore

/// Three linear maps with ReLU between them, from the decoder's width to the map's.
///
/// - Shapes: `x` [N, T, D] → [N, T, C].
/// - Weights: `layers.0`, `layers.1`, `layers.2`.
struct MaskHead: Sendable {
  private let layers: [Linear]

  init(_ weights: WeightScope, width: Int, outputs: Int) throws {
    layers = try (0..<3).map { index in
      try Linear(
        weights / "layers" / index, inputs: width, outputs: index == 2 ? outputs : width)
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { layers[2](relu(layers[1](relu(layers[0](x))))) }
}
