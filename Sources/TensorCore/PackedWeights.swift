import CKernels

/// The weights of a linear map or convolution, turned and packed once for the kernels.
///
/// Packed for the level and the precision that are selected at that moment, and used so ever after. Weights that are
/// tracked (``Tensor/tracked()``) live for one step of training and stay exact: they are kept beside the packing for the
/// gradient.
public struct PackedWeights: Sendable {
  let packed: Tensor
  let storage: ck_storage
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
  /// - Parameters:
  ///   - weight: the matrix.
  ///   - type: what the numbers were read from, which they are kept in where the precision is not exact.
  ///   - precision: how they are kept and multiplied.
  public init(
    linear weight: Tensor, storedAs type: ElementType = .float32,
    precision: Precision = .selected
  ) {
    precondition(weight.rank == 2, "linear weight must be [O, I], got \(weight.shape)")
    self.init(weight.reshaped([weight.shape[0], weight.shape[1], 1, 1]), type, precision)
  }

  /// Packs a convolution.
  ///
  /// - Shapes: `weight` [outputs, inputs, kernel height, kernel width], as PyTorch stores it.
  /// - Parameters:
  ///   - weight: the kernel.
  ///   - type: what the numbers were read from, which they are kept in where the precision is not exact.
  ///   - precision: how they are kept and multiplied.
  public init(
    convolution weight: Tensor, storedAs type: ElementType = .float32,
    precision: Precision = .selected
  ) {
    precondition(weight.rank == 4, "conv weight must be [O, I, kh, kw], got \(weight.shape)")
    self.init(weight, type, precision)
  }

  /// Taps of the largest kernel that bfloat16 products take: 3×3.
  private static let mostTaps = 9

  /// Bytes the packed weights take.
  public var byteCount: Int { packed.count * MemoryLayout<Float>.size }

  /// Bytes an element takes.
  public var elementByteCount: Int { storage == CK_STORAGE_FLOAT32 ? 4 : 2 }

  private static func storage(
    of type: ElementType, taps: Int, _ level: KernelLevel, _ precision: Precision
  ) -> ck_storage {
    guard precision != .exact else { return CK_STORAGE_FLOAT32 }
    if level.multipliesBFloat16 && taps <= mostTaps { return CK_STORAGE_PAIRS }
    return switch type {
    case .float16: CK_STORAGE_FLOAT16
    case .bfloat16: CK_STORAGE_BFLOAT16
    default: CK_STORAGE_FLOAT32
    }
  }

  private init(_ weight: Tensor, _ type: ElementType, _ precision: Precision) {
    let (o, i, kh, kw) = (weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3])
    level = KernelLevel.selected
    let kernels = level.kernels
    (outputs, inputs, kernelHeight, kernelWidth) = (o, i, kh, kw)
    let storage = Self.storage(
      of: type, taps: kh * kw, level, weight.isTracked ? .exact : precision)
    self.storage = storage
    source = weight.isTracked ? weight : nil
    // Blocks of memory are counted in floats, whatever is in them.
    let floats = (ck_packed_bytes(kernels, storage, o, i, kh * kw) + 3) / 4
    packed = Tensor(shape: [floats]) { out in
      weight.withUnsafePointer { source in
        guard let destination = out.baseAddress else { return }
        Parallel.forEach(Self.panelCount(o, kernels)) { panel, _ in
          ck_pack_weights(
            kernels, storage, source, o, i, kh * kw, destination, panel, panel + 1)
        }
      }
    }
  }

  /// Exact weights for the selected level that `pack` fills in, panels `first ..< last` of
  /// [outputs / panel columns, taps × inputs, panel columns] at a time.
  init(
    outputs: Int, inputs: Int, kernelHeight: Int = 1, kernelWidth: Int = 1,
    pack: (
      _ kernels: OpaquePointer, _ out: UnsafeMutablePointer<Float>, _ first: Int, _ last: Int
    ) -> Void
  ) {
    level = KernelLevel.selected
    let kernels = level.kernels
    (self.outputs, self.inputs) = (outputs, inputs)
    (self.kernelHeight, self.kernelWidth) = (kernelHeight, kernelWidth)
    (storage, source) = (CK_STORAGE_FLOAT32, nil)
    let panels = Self.panelCount(outputs, kernels)
    let floats = ck_packed_bytes(kernels, storage, outputs, inputs, kernelHeight * kernelWidth) / 4
    packed = Tensor(shape: [floats]) { out in
      guard let destination = out.baseAddress else { return }
      Parallel.forEach(panels) { panel, _ in pack(kernels, destination, panel, panel + 1) }
    }
  }

  /// Columns of a panel at the selected level: packed outputs are a multiple of it.
  public static var panelColumns: Int { ck_panel_columns(KernelLevel.kernels) }

  /// Bytes that weights would take, packed for the selected level and precision.
  ///
  /// - Parameters:
  ///   - shape: [outputs, inputs] or [outputs, inputs, kernel height, kernel width].
  ///   - type: what the numbers are read from.
  /// - Returns: the bytes, with padding.
  public static func byteCount(of shape: [Int], storedAs type: ElementType) -> Int {
    precondition(shape.count == 2 || shape.count == 4, "weights of shape \(shape) are not packed")
    let taps = shape.dropFirst(2).reduce(1, *)
    let level = KernelLevel.selected
    return ck_packed_bytes(
      level.kernels, storage(of: type, taps: taps, level, .selected), shape[0], shape[1], taps)
  }

  /// Panels that `outputs` columns fill.
  static func panelCount(_ outputs: Int, _ kernels: OpaquePointer) -> Int {
    let columns = ck_panel_columns(kernels)
    return (outputs + columns - 1) / columns
  }
}
