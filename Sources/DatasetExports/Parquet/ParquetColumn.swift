/// A column of bytes or text, and its values since the last row group.
struct ParquetColumn {
  /// The names from the root to the column.
  let path: [String]
  /// Whether the values are text.
  let isText: Bool

  private(set) var count = 0
  private var values: [UInt8] = []

  init(_ path: [String], isText: Bool) {
    self.path = path
    self.isText = isText
  }

  /// Bytes of the values so far.
  var size: Int { values.count }

  /// Adds a value in plain encoding: its length in four bytes, then itself.
  mutating func append(_ value: some Collection<UInt8>) {
    appendLength(value.count)
    values += value
    count += 1
  }

  private mutating func appendLength(_ length: Int) {
    for place in 0..<4 { values.append(UInt8(truncatingIfNeeded: length >> (8 * place))) }
  }

  /// A page of all values, its header in front, and takes them away.
  mutating func takePage() -> [UInt8] {
    // No value is missing: one run of the highest level, which the column's depth is.
    var levels: [UInt8] = []
    ThriftValue.writeVariable(UInt64(count) << 1, to: &levels)
    levels.append(UInt8(path.count))
    let length = levels.count
    levels.insert(
      contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }, at: 0)
    let size = levels.count + values.count
    let header = ThriftValue.bytes([
      (1, .int32(Parquet.dataPage)), (2, .int32(size)), (3, .int32(size)),
      (
        5,
        .structure([
          (1, .int32(count)), (2, .int32(Parquet.plain)), (3, .int32(Parquet.runLength)),
          (4, .int32(Parquet.runLength)),
        ])
      ),
    ])
    defer { (values, count) = ([], 0) }
    return header + levels + values
  }
}
