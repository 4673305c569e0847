import TensorCore

extension MappedFile {
  /// Elements that are widened before their pages of the file are let go.
  private static let pieceCount = 1 << 22

  /// The bytes of a range, copied; for headers and directories.
  ///
  /// - Precondition: `range` lies within the file.
  func copiedBytes(_ range: Range<Int>) throws -> [UInt8] {
    try unsafe withBytes(range) { unsafe Array($0) }
  }

  /// Elements stored one after another as a tensor of floats; their pages of the file are then let go.
  ///
  /// - Parameters:
  ///   - type: F32, F16, BF16, or F64, which is rounded to single precision.
  ///   - start: the first byte, at any alignment.
  ///   - shape: of the tensor; its elements must lie within the file.
  /// - Returns: the tensor, which may hold values that are not finite.
  /// - Throws: ``CheckpointError`` where the file was cut short since it was opened.
  func tensor(_ type: ElementType, at start: Int, shape: [Int]) throws -> Tensor {
    precondition(type.isComputable || type == .float64, "\(type.rawValue) is not widened")
    return try unsafe Tensor(shape: shape) { out in
      // In pieces, so that memory never holds both a large tensor and its pages of the file.
      for first in stride(from: 0, to: out.count, by: Self.pieceCount) {
        let count = min(Self.pieceCount, out.count - first)
        let begin = start + first * type.byteCount
        let range = begin..<begin + count * type.byteCount
        try unsafe withBytes(range) { bytes in
          guard let source = bytes.baseAddress, let base = out.baseAddress else { return }
          switch type {
          case .float16: unsafe HalfPrecision.widenHalf(source, to: base + first, count: count)
          case .bfloat16: unsafe HalfPrecision.widenBFloat16(source, to: base + first, count: count)
          case .float64:
            for index in 0..<count {
              let bits = unsafe source.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
              unsafe out[first + index] = Float(Double(bitPattern: UInt64(littleEndian: bits)))
            }
          default:
            unsafe UnsafeMutableRawPointer(base + first).copyMemory(
              from: source, byteCount: bytes.count)
          }
        }
        discard(range)
      }
    }
  }
}
