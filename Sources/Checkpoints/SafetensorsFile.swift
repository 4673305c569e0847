import CanonicalJSON
public import TensorCore

/// A safetensors file, mapped into memory.
///
/// All rules of the format are checked when it is opened, before any byte of a tensor is used.
public final class SafetensorsFile: WeightSource {
  /// The path of the file.
  public let name: String
  /// Every key, sorted.
  public let keys: [String]
  /// The strings the writer left beside the tensors.
  public let metadata: [String: String]
  /// The size of the file.
  public let byteCount: Int

  private let file: MappedFile
  private let entries: [String: SafetensorsHeader.Entry]

  /// Opens a file and checks its header.
  ///
  /// - Throws: ``CheckpointError`` with the rule that is broken.
  public init(path: String) throws {
    let file = try MappedFile(path: path)
    let header = try unsafe file.withBytes(0..<file.byteCount) {
      try unsafe SafetensorsHeader($0, file: path)
    }
    // The header has become the table of entries; its pages are not needed again.
    file.discard(0..<file.byteCount)
    self.file = file
    name = path
    byteCount = file.byteCount
    metadata = header.metadata
    entries = header.entries
    keys = header.entries.keys.sorted()
  }

  /// Type and shape of a key; nil where there is no such key.
  public func record(_ key: String) -> TensorRecord? { entries[key]?.record }

  /// The bytes of the file that a tensor takes; nil where there is no such key.
  public func byteRange(_ key: String) -> Range<Int>? { entries[key]?.range }

  /// The tensor of a key, widened to float and checked to be finite; its pages of the file are then let go.
  ///
  /// - Throws: ``CheckpointError`` naming the key where it is absent, of a type that is not computed with, or holds
  ///   NaN or infinity, and where the file was cut short since it was opened.
  public func tensor(_ key: String) throws -> Tensor {
    let entry = try entry(key)
    let type = entry.record.type
    guard type.isComputable else {
      throw CheckpointError(
        .unsupported, file: name, key: key,
        "stored as \(type.rawValue), which is not computed with; expected F32, F16 or BF16")
    }
    let tensor = try file.tensor(type, at: entry.range.lowerBound, shape: entry.record.shape)
    file.discard(entry.range)
    if let error = CheckpointError.notFinite(tensor, key: key, in: name) { throw error }
    return tensor
  }

  /// The whole numbers of a tensor stored as I64, I32, U8 or BOOL (0 and 1).
  ///
  /// - Throws: ``CheckpointError`` where the key is absent, of another type, or a truth value is neither 0 nor 1.
  public func integers(_ key: String) throws -> [Int64] {
    let entry = try entry(key)
    let values: [Int64] = try unsafe file.withBytes(entry.range) { bytes in
      switch entry.record.type {
      case .int64: unsafe Self.elements(bytes, Int64.self).map { Int64(littleEndian: $0) }
      case .int32: unsafe Self.elements(bytes, Int32.self).map { Int64(Int32(littleEndian: $0)) }
      case .uint8, .bool: unsafe bytes.map { Int64($0) }
      default:
        throw CheckpointError(
          .unsupported, file: name, key: key,
          "stored as \(entry.record.type.rawValue), expected I64, I32, U8 or BOOL")
      }
    }
    if entry.record.type == .bool, let index = values.firstIndex(where: { $0 > 1 }) {
      throw CheckpointError(
        .malformed, file: name, key: key,
        "element \(index) of a BOOL tensor is \(values[index]), expected 0 or 1")
    }
    return values
  }

  /// The numbers of a tensor stored as F64, F32, F16 or BF16, as they are (NaN and infinity too).
  ///
  /// - Throws: ``CheckpointError`` where the key is absent or of another type.
  public func doubles(_ key: String) throws -> [Double] {
    let entry = try entry(key)
    return try unsafe file.withBytes(entry.range) { bytes in
      switch entry.record.type {
      case .float64:
        unsafe Self.elements(bytes, UInt64.self).map {
          Double(bitPattern: UInt64(littleEndian: $0))
        }
      case .float32:
        unsafe Self.elements(bytes, UInt32.self).map {
          Double(Float(bitPattern: UInt32(littleEndian: $0)))
        }
      case .float16, .bfloat16:
        unsafe [Float](unsafeUninitializedCapacity: entry.count) { out, count in
          if let source = bytes.baseAddress, let target = out.baseAddress {
            unsafe entry.record.type == .float16
              ? HalfPrecision.widenHalf(source, to: target, count: entry.count)
              : HalfPrecision.widenBFloat16(source, to: target, count: entry.count)
          }
          count = entry.count
        }.map(Double.init)
      default:
        throw CheckpointError(
          .unsupported, file: name, key: key,
          "stored as \(entry.record.type.rawValue), expected F64, F32, F16 or BF16")
      }
    }
  }

  private func entry(_ key: String) throws -> SafetensorsHeader.Entry {
    guard let entry = entries[key] else { throw CheckpointError.missing(key, in: name) }
    return entry
  }

  /// The elements of a range that may start at any byte.
  private static func elements<Element: BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, _ type: Element.Type
  ) -> [Element] {
    let size = MemoryLayout<Element>.size
    return (0..<bytes.count / size).map {
      unsafe bytes.loadUnaligned(fromByteOffset: $0 * size, as: Element.self)
    }
  }
}
