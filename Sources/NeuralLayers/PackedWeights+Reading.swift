public import Checkpoints
public import TensorCore

extension PackedWeights {
  /// Reads and packs a linear map, which may be stored as a 1×1 convolution.
  ///
  /// - Shapes: `name` [outputs, inputs] or [outputs, inputs, 1, 1].
  /// - Parameters:
  ///   - weights: the layer's place.
  ///   - name: the tensor's name below it.
  ///   - inputs: input width.
  ///   - outputs: output width.
  ///   - precision: how the weights are kept and multiplied.
  /// - Throws: `CheckpointError` with the full key if the tensor is absent or misshapen.
  public init(
    linear weights: WeightScope, _ name: String = "weight", inputs: Int, outputs: Int,
    precision: Precision = .selected
  ) throws {
    self.init(
      linear: try weights.matrix(name, outputs, inputs),
      storedAs: weights.type(of: name) ?? .float32, precision: precision)
  }

  /// Reads and packs a convolution.
  ///
  /// - Shapes: `name` `shape`, which is [outputs, inputs, kernel height, kernel width].
  /// - Parameters:
  ///   - weights: the layer's place.
  ///   - name: the tensor's name below it.
  ///   - shape: the shape it must have.
  ///   - precision: how the weights are kept and multiplied.
  /// - Throws: `CheckpointError` with the full key if the tensor is absent or misshapen.
  public init(
    convolution weights: WeightScope, _ name: String = "weight", shape: [Int],
    precision: Precision = .selected
  ) throws {
    self.init(
      convolution: try weights.tensor(name, shape),
      storedAs: weights.type(of: name) ?? .float32, precision: precision)
  }
}
