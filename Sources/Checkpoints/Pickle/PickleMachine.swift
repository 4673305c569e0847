import CanonicalJSON
import TensorCore

/// Reads a pickle without ever calling anything: it knows tensors, numbers, strings and containers.
///
/// Every other instruction is refused by its name. A class or function that is not read stands in the result as an
/// opaque value, and so does what would be made with it; whether one may stand where it does is the caller's affair.
///
/// - Source: CPython `Lib/pickle.py`; PyTorch `torch/serialization.py`.
struct PickleMachine {
  /// The most values on the stack, remembered values, and containers.
  static let valueLimit = 1 << 19
  /// The most values in all containers together.
  static let elementLimit = 1 << 21
  /// The longest name of a module or class.
  static let nameLimit = 256
  static let axisLimit = 64
  /// The most arguments of what is called.
  static let argumentLimit = 64
  /// The most classes and functions that are named and not read.
  static let opaqueLimit = 1 << 16

  /// What went wrong, and where in the pickle.
  struct Fault: Error {
    var position: Int
    var message: String
    var isUnsupported = false
  }

  enum Kind { case list, tuple, dictionary, set }

  struct Node {
    var kind: Kind
    /// Of a dictionary: key, value, key, value and so on.
    var elements: [PickleValue] = []
  }

  private var reader: ByteReader
  /// Where the current instruction begins.
  var position = 0
  private var frameEnd = 0
  var stack: [PickleValue] = []
  var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  var nodes: [Node] = []
  private var elementCount = 0
  /// What was named and is not read.
  var opaques: [PickleOpaque] = []
  let storage: (String) -> Range<Int>?
  /// What each storage that was named holds.
  var storageTypes: [String: ElementType] = [:]

  /// Prepares to read a pickle.
  ///
  /// - Parameters:
  ///   - bytes: the pickle.
  ///   - storage: the bytes of the file that hold the storage of a key; nil where there is none.
  init(_ bytes: [UInt8], storage: @escaping (String) -> Range<Int>?) {
    reader = ByteReader(bytes)
    self.storage = storage
  }

  /// Reads to the end and gives the one value that is left.
  ///
  /// - Throws: ``Fault``.
  mutating func run() throws -> PickleValue {
    do {
      while true {
        position = reader.position
        let code = try reader.byte()
        guard let opcode = PickleOpcode(rawValue: code) else { throw refusal(of: code) }
        if opcode == .stop { return try result() }
        try carryOut(opcode)
      }
    } catch let end as ByteReader.End {
      throw Fault(
        position: end.position,
        message: "\(end.wanted) more byte(s) were expected, \(end.left) are left; it was cut short")
    }
  }

  /// Key and value of each member of a dictionary; nil where the value is none.
  func members(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)]? {
    guard case .node(let index) = value, nodes[index].kind == .dictionary else { return nil }
    let elements = nodes[index].elements
    return stride(from: 0, to: elements.count, by: 2).map { (elements[$0], elements[$0 + 1]) }
  }

  /// The elements of a list; nil where the value is none.
  func elements(_ value: PickleValue) -> [PickleValue]? {
    guard case .node(let index) = value, nodes[index].kind == .list else { return nil }
    return nodes[index].elements
  }

  /// The first opaque value in `value` or in what it holds, at any depth; nil where there is none.
  ///
  /// Containers that were seen before are not looked through again.
  func firstOpaque(in value: PickleValue, seen: inout Set<Int>) -> PickleOpaque? {
    var left = [value]
    while let value = left.popLast() {
      switch value {
      case .opaque(let index): return opaques[index]
      case .node(let index):
        if seen.insert(index).inserted { left.append(contentsOf: nodes[index].elements) }
      default: continue
      }
    }
    return nil
  }

  private func result() throws -> PickleValue {
    guard stack.count == 1, marks.isEmpty else {
      throw fault("\(stack.count) value(s) are left at the end, expected one")
    }
    guard reader.left == 0 else { throw fault("\(reader.left) bytes follow the end") }
    return stack[0]
  }

  private mutating func carryOut(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .proto:
      let version = try reader.byte()
      guard 2...5 ~= version else { throw fault("protocol \(version), expected 2 to 5") }
    case .frame: try beginFrame()
    case .mark:
      guard marks.count < Self.valueLimit else { throw fault("more than \(Self.valueLimit) marks") }
      marks.append(stack.count)
    case .none: try push(.none)
    case .newTrue: try push(.flag(true))
    case .newFalse: try push(.flag(false))
    case .binInt: try push(.integer(Int64(Int32(truncatingIfNeeded: try reader.number(4)))))
    case .binInt1: try push(.integer(Int64(try reader.number(1))))
    case .binInt2: try push(.integer(Int64(try reader.number(2))))
    case .long1: try push(.integer(try longInteger()))
    case .binFloat:
      try push(.number(Double(bitPattern: try reader.number(8).byteSwapped)))
    case .binUnicode: try push(.string(try text(Int(try reader.number(4)))))
    case .shortBinUnicode: try push(.string(try text(Int(try reader.number(1)))))
    case .binBytes: try pushBytes(Int(try reader.number(4)))
    case .shortBinBytes: try pushBytes(Int(try reader.number(1)))
    case .binGet: try recall(Int(try reader.number(1)))
    case .longBinGet: try recall(Int(try reader.number(4)))
    case .binPut: try remember(Int(try reader.number(1)))
    case .longBinPut: try remember(Int(try reader.number(4)))
    case .memoize: try remember(memo.count)
    case .global: try pushGlobal(try name(), try name())
    case .stackGlobal: try pushStackGlobal()
    case .reduce: try reduce()
    case .newObject: try makeObject(argumentCount: 1)
    case .newObjectEx: try makeObject(argumentCount: 2)
    case .build: try build()
    case .binPersID: try pushStorage()
    case .stop: break
    default: try carryOutContainer(opcode)
    }
  }

  /// A frame is only a hint of how much to read at once, but one that lies is read differently elsewhere.
  private mutating func beginFrame() throws {
    let length = try reader.number(8)
    guard position >= frameEnd else { throw fault("a frame begins before the last one ends") }
    guard length <= UInt64(reader.left) else {
      throw fault("a frame of \(length) bytes, \(reader.left) are left")
    }
    frameEnd = reader.position + Int(length)
  }

  private mutating func carryOutContainer(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .emptyList: try push(.list, [])
    case .emptyDict: try push(.dictionary, [])
    case .emptyTuple: try push(.tuple, [])
    case .emptySet: try push(.set, [])
    case .frozenSet: try push(.set, try popToMark())
    case .addItems: try extend(.set, with: try popToMark())
    case .tuple: try push(.tuple, try popToMark())
    case .tuple1: try push(.tuple, try pop(1))
    case .tuple2: try push(.tuple, try pop(2))
    case .tuple3: try push(.tuple, try pop(3))
    case .append: try extend(.list, with: try pop(1))
    case .appends: try extend(.list, with: try popToMark())
    case .setItem: try extend(.dictionary, with: try pop(2))
    case .setItems: try extend(.dictionary, with: try popToMark())
    default: preconditionFailure("pickle: \(opcode) is listed and not carried out")
    }
  }

  // MARK: The stack

  mutating func push(_ value: PickleValue) throws {
    guard stack.count < Self.valueLimit else {
      throw fault("more than \(Self.valueLimit) values on the stack")
    }
    stack.append(value)
  }

  mutating func push(_ kind: Kind, _ elements: [PickleValue]) throws {
    try count(elements.count)
    guard nodes.count < Self.valueLimit else {
      throw fault("more than \(Self.valueLimit) containers")
    }
    nodes.append(Node(kind: kind, elements: elements))
    try push(.node(nodes.count - 1))
  }

  /// The last values, which are taken off; those in front of the last mark stay.
  mutating func pop(_ count: Int) throws -> [PickleValue] {
    guard stack.count - count >= marks.last ?? 0 else {
      throw fault("the stack has too few values")
    }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws -> [PickleValue] {
    guard let mark = marks.popLast() else { throw fault("there is no mark") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func extend(_ kind: Kind, with values: [PickleValue]) throws {
    if stack.count > marks.last ?? 0, case .opaque? = stack.last { return }
    guard stack.count > marks.last ?? 0, case .node(let index)? = stack.last,
      nodes[index].kind == kind
    else { throw fault("expected a \(kind) to add to, found \(stack.last?.kind ?? "nothing")") }
    guard kind != .dictionary || values.count.isMultiple(of: 2) else {
      throw fault("a key without a value")
    }
    try count(values.count)
    nodes[index].elements.append(contentsOf: values)
  }

  private mutating func count(_ elements: Int) throws {
    elementCount += elements
    guard elementCount <= Self.elementLimit else {
      throw fault("more than \(Self.elementLimit) values in containers")
    }
  }

  private mutating func remember(_ index: Int) throws {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw fault("there is nothing to remember")
    }
    guard memo.count < Self.valueLimit || memo[index] != nil else {
      throw fault("more than \(Self.valueLimit) values to remember")
    }
    memo[index] = value
  }

  private mutating func recall(_ index: Int) throws {
    guard let value = memo[index] else { throw fault("value \(index) was never remembered") }
    try push(value)
  }

  // MARK: Literals

  private mutating func longInteger() throws -> Int64 {
    let size = Int(try reader.byte())
    guard size <= 8 else { throw fault("a whole number of \(size) bytes, at most 8 are read") }
    guard size > 0 else { return 0 }
    let shift = 64 - 8 * size
    return Int64(bitPattern: try reader.number(size) << UInt64(shift)) >> Int64(shift)
  }

  private mutating func text(_ length: Int) throws -> String {
    guard let text = String(validating: try reader.take(length), as: UTF8.self) else {
      throw fault("a string is not UTF-8")
    }
    return text
  }

  private mutating func pushBytes(_ length: Int) throws {
    _ = try reader.take(length)
    try push(.bytes)
  }

  private mutating func name() throws -> String {
    guard let name = String(validating: try reader.line(limit: Self.nameLimit), as: UTF8.self)
    else { throw fault("the name of a class is not UTF-8") }
    return name
  }

  private func refusal(of code: UInt8) -> Fault {
    guard let name = PickleOpcode.refusedNames[code] else {
      return fault("byte \(code) is no pickle instruction; the file is damaged")
    }
    return Fault(
      position: position, message: "the instruction \(name) is not carried out here",
      isUnsupported: true)
  }

  func fault(_ message: String) -> Fault { Fault(position: position, message: message) }
}
