/// Reads Parquet's metadata plainly: Thrift's compact protocol as nested values, for tests alone.
struct ParquetFooter {
  indirect enum Value {
    case number(Int)
    case bytes([UInt8])
    case list([Value])
    case structure([Int: Value])

    subscript(id: Int) -> Value? {
      switch self {
      case .structure(let fields): fields[id]
      case .list(let values): values.indices.contains(id) ? values[id] : nil
      default: nil
      }
    }
    var number: Int? { if case .number(let number) = self { number } else { nil } }
    var text: String? {
      if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
    var list: [Value] { if case .list(let values) = self { values } else { [] } }
  }

  private let bytes: [UInt8]
  private(set) var position: Int

  init(_ bytes: [UInt8], at position: Int) {
    self.bytes = bytes
    self.position = position
  }

  /// The metadata at the end of a file.
  static func metadata(_ file: [UInt8]) -> Value? {
    guard file.count > 12, file.starts(with: "PAR1".utf8), file.suffix(4).elementsEqual("PAR1".utf8)
    else { return nil }
    let size = (0..<4).reduce(0) { $0 | Int(file[file.count - 8 + $1]) << (8 * $1) }
    var reader = ParquetFooter(file, at: file.count - 8 - size)
    let value = reader.structure()
    return reader.position == file.count - 8 ? value : nil
  }

  /// The values of a column chunk: its only page, plain.
  static func values(_ file: [UInt8], chunk: Value) -> [[UInt8]] {
    guard let start = chunk[3]?[9]?.number, let size = chunk[3]?[7]?.number else { return [] }
    var reader = ParquetFooter(file, at: start)
    let header = reader.structure()
    guard let pageSize = header[2]?.number, reader.position + pageSize == start + size else {
      return []
    }
    func length(_ place: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(file[place + $1]) << (8 * $1) }
    }
    var place = reader.position + 4 + length(reader.position)
    var values: [[UInt8]] = []
    while place < start + size {
      let count = length(place)
      values.append(Array(file[place + 4..<place + 4 + count]))
      place += 4 + count
    }
    return values.count == header[5]?[1]?.number ? values : []
  }

  private mutating func byte() -> Int {
    position += 1
    return Int(bytes[position - 1])
  }

  private mutating func variable() -> Int {
    var (value, shift) = (0, 0)
    while true {
      let next = byte()
      value |= (next & 0x7f) << shift
      shift += 7
      if next < 0x80 { return value }
    }
  }

  mutating func structure() -> Value {
    var fields: [Int: Value] = [:]
    var id = 0
    while true {
      let head = byte()
      if head == 0 { return .structure(fields) }
      id += head >> 4
      fields[id] = value(type: head & 15)
    }
  }

  private mutating func value(type: Int) -> Value {
    switch type {
    case 5, 6:
      let coded = variable()
      return .number(coded >> 1 ^ -(coded & 1))
    case 8:
      let count = variable()
      defer { position += count }
      return .bytes(Array(bytes[position..<position + count]))
    case 9:
      let head = byte()
      let count = head >> 4 == 15 ? variable() : head >> 4
      return .list((0..<count).map { _ in value(type: head & 15) })
    default: return structure()
    }
  }
}
