/// A value of Thrift's compact protocol, as far as Parquet's metadata takes it.
///
/// - Source: Apache Thrift, the compact protocol's specification.
indirect enum ThriftValue {
  /// A whole number of 32 bits, or an enumeration's.
  case int32(Int)
  /// A whole number of 64 bits.
  case int64(Int)
  /// Text or bytes.
  case text(String)
  /// Numbers of 32 bits.
  case int32List([Int])
  /// Texts.
  case textList([String])
  /// Structures.
  case structureList([[Field]])
  /// A structure.
  case structure([Field])

  /// A member of a structure: its number, ascending, and its value.
  typealias Field = (id: Int, value: ThriftValue)

  /// The bytes of a structure.
  static func bytes(_ fields: [Field]) -> [UInt8] {
    var out: [UInt8] = []
    write(fields, to: &out)
    return out
  }

  /// The type's number in heads of fields and lists.
  private var type: UInt8 {
    switch self {
    case .int32: 5
    case .int64: 6
    case .text: 8
    case .int32List, .textList, .structureList: 9
    case .structure: 12
    }
  }

  private static func write(_ fields: [Field], to out: inout [UInt8]) {
    var last = 0
    for (id, value) in fields {
      precondition((1...15).contains(id - last), "Thrift field \(id) behind \(last)")
      out.append(UInt8(id - last) << 4 | value.type)
      value.write(to: &out)
      last = id
    }
    out.append(0)
  }

  private func write(to out: inout [UInt8]) {
    switch self {
    case .int32(let number), .int64(let number): Self.writeSigned(number, to: &out)
    case .text(let text): Self.write(text, to: &out)
    case .int32List(let numbers):
      Self.writeListHead(numbers.count, type: 5, to: &out)
      for number in numbers { Self.writeSigned(number, to: &out) }
    case .textList(let texts):
      Self.writeListHead(texts.count, type: 8, to: &out)
      for text in texts { Self.write(text, to: &out) }
    case .structureList(let structures):
      Self.writeListHead(structures.count, type: 12, to: &out)
      for fields in structures { Self.write(fields, to: &out) }
    case .structure(let fields): Self.write(fields, to: &out)
    }
  }

  private static func write(_ text: String, to out: inout [UInt8]) {
    writeVariable(UInt64(text.utf8.count), to: &out)
    out += text.utf8
  }

  private static func writeListHead(_ count: Int, type: UInt8, to out: inout [UInt8]) {
    if count < 15 {
      out.append(UInt8(count) << 4 | type)
    } else {
      out.append(0xf0 | type)
      writeVariable(UInt64(count), to: &out)
    }
  }

  /// Small numbers of both signs become small ones: 0, -1, 1, -2 are 0, 1, 2, 3.
  private static func writeSigned(_ number: Int, to out: inout [UInt8]) {
    writeVariable(UInt64(bitPattern: Int64(number) << 1 ^ Int64(number) >> 63), to: &out)
  }

  /// Seven bits a byte, the lowest first.
  static func writeVariable(_ number: UInt64, to out: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(rest))
  }
}
