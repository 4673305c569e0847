/// A dense block of 32-bit floats with a shape, row-major, the last axis contiguous.
///
/// Images and feature maps are N H W C (channels last), tokens N T D. A tensor is a value: once made, its
/// elements do not change. Reshaping and taking leading rows share memory, everything else copies.
///
/// Shape mistakes are bugs of the caller and trap with the operands in the message; sizes that come from
/// files are checked before a tensor is made (see `Checkpoints`).
public struct Tensor: Sendable {
  /// The length of each axis; `[]` is a scalar.
  public let shape: [Int]
  let storage: Storage
  let offset: Int

  /// The operation that made it, where an input was tracked; inference remembers nothing.
  let node: GradientNode?

  /// The number of elements.
  public let count: Int

  private init(
    shape: [Int], storage: Storage, offset: Int, count: Int, node: GradientNode? = nil
  ) {
    self.shape = shape
    self.storage = storage
    self.offset = offset
    self.count = count
    self.node = node
  }

  /// The same elements, made by another operation.
  func with(_ node: GradientNode?) -> Tensor {
    Tensor(shape: shape, storage: storage, offset: offset, count: count, node: node)
  }

  /// Makes a tensor and lets `fill` write all of its elements, which start uninitialised.
  public init<E: Error>(
    shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) throws(E) -> Void
  ) throws(E) {
    let count = Tensor.elementCount(shape)
    let storage = Storage(count: count)
    try fill(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
    self.init(shape: shape, storage: storage, offset: 0, count: count)
  }

  /// Makes a tensor from values in row-major order.
  ///
  /// - Precondition: `values.count` is the product of `shape`.
  public init(_ values: [Float], shape: [Int]) {
    precondition(
      values.count == Tensor.elementCount(shape),
      "Tensor: \(values.count) values do not fill shape \(shape)")
    self.init(shape: shape) { buffer in _ = buffer.update(fromContentsOf: values) }
  }

  /// A tensor with every element equal to `value`.
  public init(repeating value: Float, shape: [Int]) {
    self.init(shape: shape) { $0.update(repeating: value) }
  }

  /// A tensor of zeros.
  public static func zeros(_ shape: [Int]) -> Tensor { Tensor(repeating: 0, shape: shape) }

  /// The number of axes.
  public var rank: Int { shape.count }

  /// The length of the last axis (channels or width); 1 for a scalar.
  public var lastDimension: Int { shape.last ?? 1 }

  /// The elements in row-major order, copied.
  public var values: [Float] { withUnsafeBuffer { Array($0) } }

  /// Reads the elements in place.
  public func withUnsafeBuffer<R, E: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    let result = try body(UnsafeBufferPointer(start: storage.pointer + offset, count: count))
    // The storage must outlive the pointer even where the optimiser sees no later use of the tensor.
    return withExtendedLifetime(storage) { result }
  }

  /// Reads the elements in place, by their first address.
  func withUnsafePointer<R>(_ body: (UnsafePointer<Float>) -> R) -> R {
    let result = body(UnsafePointer(storage.pointer + offset))
    return withExtendedLifetime(storage) { result }
  }

  /// The same elements under another shape; shares memory.
  ///
  /// - Precondition: the counts are equal.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(
      Tensor.elementCount(shape) == count, "reshape: \(self.shape) does not fit \(shape)")
    let result = Tensor(shape: shape, storage: storage, offset: offset, count: count)
    guard isTracked else { return result }
    let before = self.shape
    return result.recorded("reshaped", from: [self]) { [$0.reshaped(before)] }
  }

  /// The rows `range` of the first axis; shares memory.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(rank >= 1, "rows: a scalar has none")
    precondition(
      range.lowerBound >= 0 && range.upperBound <= shape[0], "rows: \(range) outside \(shape)")
    let rowCount = shape.dropFirst().reduce(1, *)
    let result = Tensor(
      shape: [range.count] + shape.dropFirst(), storage: storage,
      offset: offset + range.lowerBound * rowCount, count: range.count * rowCount)
    guard isTracked else { return result }
    return result.recordedParts("rows", from: [self]) { [.rows(range.lowerBound, $0)] }
  }

  /// The four axis lengths of a feature map [N, H, W, C].
  public func dimensions4(_ label: String) -> (n: Int, h: Int, w: Int, c: Int) {
    precondition(rank == 4, "\(label): expected [N, H, W, C], got \(shape)")
    return (shape[0], shape[1], shape[2], shape[3])
  }

  /// The three axis lengths of tokens [N, T, D].
  public func dimensions3(_ label: String) -> (n: Int, t: Int, d: Int) {
    precondition(rank == 3, "\(label): expected [N, T, D], got \(shape)")
    return (shape[0], shape[1], shape[2])
  }

  static func elementCount(_ shape: [Int]) -> Int {
    var count = 1
    for length in shape {
      precondition(length >= 0, "shape \(shape) has a negative length")
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      precondition(!overflow, "shape \(shape) has too many elements")
      count = product
    }
    return count
  }
}

extension Tensor: CustomStringConvertible {
  /// Shape and the first few values.
  public var description: String {
    let shown = withUnsafeBuffer { $0.prefix(8).map { "\($0)" }.joined(separator: ", ") }
    return "Tensor\(shape)[\(shown)\(count > 8 ? ", …" : "")]"
  }
}
