import CanonicalJSON
public import TensorCore

/// Writes tensors to a safetensors file, atomically and always the same bytes for the same content.
///
/// Tensors are ordered by falling alignment, then by the bytes of their keys, metadata by key; the header is
/// padded with spaces to a multiple of 8, so that every tensor is aligned for its type.
public struct SafetensorsWriter {
  private enum Content {
    case floats(Tensor, ElementType)
    case integers([Int64])
    case bytes([UInt8])
  }

  private struct Item {
    var key: String
    var record: TensorRecord
    var content: Content
  }

  /// The strings to leave beside the tensors.
  public var metadata: [String: String]
  private var items: [String: Item] = [:]

  /// Starts an empty file.
  public init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// Adds a tensor, stored as F32, or rounded to nearest even as F16 or BF16.
  ///
  /// - Precondition: the key is new, and `type` is one of the three.
  public mutating func add(_ key: String, _ tensor: Tensor, as type: ElementType = .float32) {
    precondition(type.isComputable, "\(key): floats are not stored as \(type.rawValue)")
    add(key, TensorRecord(type: type, shape: tensor.shape), .floats(tensor, type))
  }

  /// Adds whole numbers, stored as I64.
  ///
  /// - Precondition: the key is new, and `shape` has as many elements as there are numbers.
  public mutating func add(_ key: String, integers: [Int64], shape: [Int]) {
    let record = TensorRecord(type: .int64, shape: shape)
    precondition(
      record.count == integers.count && shape.allSatisfy { $0 >= 0 },
      "\(key): \(integers.count) numbers do not fill shape \(shape)")
    add(key, record, .integers(integers))
  }

  /// Adds small whole numbers, stored as U8.
  ///
  /// - Precondition: the key is new, and `shape` has as many elements as there are numbers.
  public mutating func add(_ key: String, bytes: [UInt8], shape: [Int]) {
    let record = TensorRecord(type: .uint8, shape: shape)
    precondition(
      record.count == bytes.count && shape.allSatisfy { $0 >= 0 },
      "\(key): \(bytes.count) numbers do not fill shape \(shape)")
    add(key, record, .bytes(bytes))
  }

  /// Writes the file; under its name there is either what was before or the complete new file.
  ///
  /// - Throws: ``CheckpointError`` with the system's error number where the folder is missing, read-only or
  ///   full, and where an element is not finite in its stored type.
  public func write(to path: String) throws {
    let ordered = items.values.sorted { first, second in
      let (a, b) = (first.record.type.byteCount, second.record.type.byteCount)
      return a == b ? first.key.utf8.lexicographicallyPrecedes(second.key.utf8) : a > b
    }
    let header = header(ordered)
    guard header.count <= SafetensorsHeader.byteLimit else {
      throw CheckpointError(
        .unwritable, file: path,
        "the header would take \(header.count) bytes, at most \(SafetensorsHeader.byteLimit) are "
          + "allowed; store fewer tensors or shorter metadata")
    }
    let file = try AtomicFile(path: path)
    try unsafe withUnsafeBytes(of: UInt64(header.count).littleEndian) { try unsafe file.write($0) }
    try unsafe header.withUnsafeBytes { try unsafe file.write($0) }
    for item in ordered {
      switch item.content {
      case .integers(let values): try unsafe values.withUnsafeBytes { try unsafe file.write($0) }
      case .bytes(let values): try unsafe values.withUnsafeBytes { try unsafe file.write($0) }
      case .floats(let tensor, let type):
        if let error = CheckpointError.notFinite(tensor, key: item.key, in: path) { throw error }
        if type == .float32 {
          try unsafe tensor.withUnsafeBuffer { try unsafe file.write(UnsafeRawBufferPointer($0)) }
        } else {
          try Self.writeNarrowed(tensor, type, item.key, file, path)
        }
      }
    }
    try file.commit()
  }

  private mutating func add(_ key: String, _ record: TensorRecord, _ content: Content) {
    precondition(key != "__metadata__", "\"__metadata__\" is not a key; set metadata")
    precondition(items[key] == nil, "\(key) is added twice")
    items[key] = Item(key: key, record: record, content: content)
  }

  private func header(_ ordered: [Item]) -> [UInt8] {
    var members: [JSONValue.Member] = []
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(
        .init("__metadata__", .object(sorted.map { .init($0.key, .string($0.value)) })))
    }
    var offset = 0
    for item in ordered {
      let end = offset + item.record.count * item.record.type.byteCount
      members.append(
        .init(
          item.key,
          [
            "dtype": .string(item.record.type.rawValue),
            "shape": .array(item.record.shape.map { .integer(Int64($0)) }),
            "data_offsets": [.integer(Int64(offset)), .integer(Int64(end))],
          ]))
      offset = end
    }
    var bytes = Array(JSONValue.object(members).text.utf8)
    bytes.append(contentsOf: repeatElement(0x20, count: (8 - bytes.count % 8) % 8))
    return bytes
  }

  /// Rounds and writes a piece at a time.
  private static func writeNarrowed(
    _ tensor: Tensor, _ type: ElementType, _ key: String, _ file: AtomicFile, _ path: String
  ) throws {
    let pieceCount = 1 << 18
    let exponent: UInt16 = type == .float16 ? 0x7c00 : 0x7f80
    var piece = [UInt16](repeating: 0, count: min(pieceCount, tensor.count))
    try unsafe tensor.withUnsafeBuffer { floats in
      for start in stride(from: 0, to: floats.count, by: pieceCount) {
        let count = min(pieceCount, floats.count - start)
        guard let source = floats.baseAddress else { return }
        try unsafe piece.withUnsafeMutableBytes { bytes in
          guard let target = bytes.baseAddress else { return }
          if type == .float16 {
            unsafe HalfPrecision.narrowToHalf(source + start, to: target, count: count)
          } else {
            unsafe HalfPrecision.narrowToBFloat16(source + start, to: target, count: count)
          }
          let rounded = unsafe UnsafeRawBufferPointer(start: target, count: count * 2)
          let overflow = unsafe rounded.bindMemory(to: UInt16.self).firstIndex {
            $0 & exponent == exponent
          }
          if let overflow {
            throw CheckpointError(
              .notFinite, file: path, key: key,
              unsafe "element \(start + overflow) is \(floats[start + overflow]), too large for "
                + "\(type.rawValue); store it as F32 or BF16")
          }
          try unsafe file.write(rounded)
        }
      }
    }
  }
}
