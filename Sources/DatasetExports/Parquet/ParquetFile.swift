import CanonicalJSON

/// A Parquet file of byte and text columns that is written row group by row group.
///
/// A row group is held until it has enough rows or bytes; nothing is compressed, and no page has a time or a random
/// number in it.
///
/// - Source: apache/parquet-format.
final class ParquetFile {
  /// A row group ends with the row that reaches either.
  private static let rowLimit = 100
  private static let byteLimit = 32 << 20

  private struct Chunk {
    let path: [String]
    let count: Int
    let offset: Int
    let size: Int
  }

  private let file: ExportFile
  private let metadata: (key: String, value: String)
  private var columns: [ParquetColumn]
  private var offset = 0
  private var rows = 0
  private var pendingRows = 0
  private var groups: [(rows: Int, chunks: [Chunk])] = []

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - file: the file, with nothing in it.
  ///   - columns: the columns; those of one group stand side by side.
  ///   - metadata: an entry of the file's own.
  /// - Throws: `DatasetError` where the disk fails.
  init(_ file: ExportFile, columns: [ParquetColumn], metadata: (key: String, value: String)) throws
  {
    self.file = file
    self.columns = columns
    self.metadata = metadata
    try write(Parquet.magic)
  }

  /// Adds a row, a value a column.
  func add(_ row: [[UInt8]]) throws {
    precondition(row.count == columns.count, "\(row.count) values in \(columns.count) columns")
    for (index, value) in row.enumerated() { columns[index].append(value) }
    pendingRows += 1
    if pendingRows >= Self.rowLimit || columns.reduce(0, { $0 + $1.size }) >= Self.byteLimit {
      try endGroup()
    }
  }

  /// Ends the file with what says where everything is.
  func close() throws {
    try endGroup()
    let footer = ThriftValue.bytes([
      (1, .int32(1)), (2, .structureList(schema)), (3, .int64(rows)),
      (4, .structureList(groups.map(Self.group))),
      (5, .structureList([[(1, .text(metadata.key)), (2, .text(metadata.value))]])),
      (6, .text("triptych")),
    ])
    try write(footer)
    try write((0..<4).map { UInt8(truncatingIfNeeded: footer.count >> (8 * $0)) })
    try write(Parquet.magic)
    try file.close()
  }

  private func endGroup() throws {
    guard pendingRows > 0 else { return }
    var chunks: [Chunk] = []
    for index in columns.indices {
      let column = columns[index]
      let page = columns[index].takePage()
      chunks.append(
        Chunk(path: column.path, count: column.count, offset: offset, size: page.count))
      try write(page)
    }
    groups.append((pendingRows, chunks))
    rows += pendingRows
    pendingRows = 0
  }

  private func write(_ bytes: [UInt8]) throws {
    try file.write(bytes)
    offset += bytes.count
  }

  /// The tree of columns, every group before what is in it.
  private var schema: [[ThriftValue.Field]] {
    var elements: [[ThriftValue.Field]] = []
    var roots: [String] = []
    for column in columns {
      if roots.last != column.path[0] {
        roots.append(column.path[0])
        if column.path.count > 1 {
          let inner = columns.count { $0.path[0] == column.path[0] }
          elements.append([
            (3, .int32(Parquet.optional)), (4, .text(column.path[0])), (5, .int32(inner)),
          ])
        }
      }
      elements.append(
        [
          (1, .int32(Parquet.byteArray)), (3, .int32(Parquet.optional)),
          (4, .text(column.path[column.path.count - 1])),
        ] + (column.isText ? [(6, .int32(Parquet.text))] : []))
    }
    return [[(4, .text("schema")), (5, .int32(roots.count))]] + elements
  }

  private static func group(_ group: (rows: Int, chunks: [Chunk])) -> [ThriftValue.Field] {
    let size = group.chunks.reduce(0) { $0 + $1.size }
    return [
      (1, .structureList(group.chunks.map(column))), (2, .int64(size)), (3, .int64(group.rows)),
    ]
  }

  private static func column(_ chunk: Chunk) -> [ThriftValue.Field] {
    let metadata: [ThriftValue.Field] = [
      (1, .int32(Parquet.byteArray)), (2, .int32List([Parquet.plain, Parquet.runLength])),
      (3, .textList(chunk.path)), (4, .int32(Parquet.uncompressed)), (5, .int64(chunk.count)),
      (6, .int64(chunk.size)), (7, .int64(chunk.size)), (9, .int64(chunk.offset)),
    ]
    return [(2, .int64(chunk.offset)), (3, .structure(metadata))]
  }
}
