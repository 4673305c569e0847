import CKernels

/// The weights of a linear map or convolution, turned and packed once for the kernels.
///
/// Packed for the level that is selected at that moment, and used at that level ever after. Weights that are tracked
/// (``Tensor/tracked()``) live for one step of training: they are kept beside the packing for the gradient, and where
/// they have one tap, OpenBLAS multiplies them as they are.
public struct PackedWeights: Sendable {
  /// Empty where the weights are multiplied as they are.
  let packed: Tensor
  /// The weights [outputs, inputs, kernel height, kernel width], where they are tracked.
  let source: Tensor?
  /// The level whose kernels the packing is for.
  public let level: KernelLevel
  /// Input width (channels).
  public let inputs: Int
  /// Output width (channels).
  public let outputs: Int
  /// Kernel height in pixels; 1 for a linear map.
  public let kernelHeight: Int
  /// Kernel width in pixels; 1 for a linear map.
  public let kernelWidth: Int

  /// Packs a linear map.
  ///
  /// - Shapes: `weight` [outputs, inputs], as PyTorch stores it.
  public init(linear weight: Tensor) {
    precondition(weight.rank == 2, "linear weight must be [O, I], got \(weight.shape)")
    self.init(weight.reshaped([weight.shape[0], weight.shape[1], 1, 1]))
  }

  /// Packs a convolution.
  ///
  /// - Shapes: `weight` [outputs, inputs, kernel height, kernel width], as PyTorch stores it.
  public init(convolution weight: Tensor) {
    precondition(weight.rank == 4, "conv weight must be [O, I, kh, kw], got \(weight.shape)")
    self.init(weight)
  }

  private init(_ weight: Tensor) {
    let (o, i, kh, kw) = (weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3])
    level = KernelLevel.selected
    let kernels = level.kernels
    (outputs, inputs, kernelHeight, kernelWidth) = (o, i, kh, kw)
    source = weight.isTracked ? weight : nil
    guard !weight.isTracked || kh * kw > 1 else {
      packed = Tensor.zeros([0])
      return
    }
    packed = Tensor(shape: [ck_packed_floats(kernels, o, i * kh * kw)]) { out in
      weight.withUnsafePointer { source in
        guard let destination = out.baseAddress else { return }
        Parallel.forEach(Self.panelCount(o, kernels)) { panel, _ in
          ck_pack_weights(kernels, source, o, i, kh * kw, destination, panel, panel + 1)
        }
      }
    }
  }

  /// Panels that `outputs` columns fill.
  static func panelCount(_ outputs: Int, _ kernels: OpaquePointer) -> Int {
    let columns = ck_panel_columns(kernels)
    return (outputs + columns - 1) / columns
  }
}
