import CanonicalJSON
import TensorCore

/// What pickles name: the few classes and functions that tensors are saved with; all others stay opaque, none is looked up.
extension PickleMachine {
  mutating func pushGlobal(_ module: String, _ name: String) throws {
    let full = "\(module).\(name)"
    guard let global = PickleGlobal(full) else {
      guard opaques.count < Self.opaqueLimit, full.utf8.count <= 2 * Self.nameLimit else {
        throw fault("more, or longer, names of classes than are read")
      }
      opaques.append(PickleOpaque(name: full, position: position))
      return try push(.opaque(opaques.count - 1))
    }
    try push(.global(global))
  }

  mutating func pushStackGlobal() throws {
    let names = try pop(2)
    guard case .string(let module) = names[0], case .string(let name) = names[1] else {
      throw fault("STACK_GLOBAL expects two strings")
    }
    try pushGlobal(module, name)
  }

  /// Stands for a call: the three constructions that tensors are saved as.
  mutating func reduce() throws {
    let operands = try pop(2)
    if case .opaque = operands[0] { return try push(operands[0]) }
    guard case .global(let global) = operands[0], let arguments = tuple(operands[1]) else {
      throw fault("REDUCE of \(operands[0].kind) with \(operands[1].kind)")
    }
    guard arguments.count <= Self.argumentLimit else {
      throw fault(
        "REDUCE with \(arguments.count) arguments, at most \(Self.argumentLimit) are read")
    }
    // A tensor of a storage that is not read, or with hooks.
    for case .opaque(let index) in arguments { return try push(.opaque(index)) }
    switch global {
    case .orderedDictionary:
      guard arguments.isEmpty else {
        throw fault("an OrderedDict is made from \(arguments.count) arguments, expected none")
      }
      try push(.dictionary, [])
    case .tensor: try push(.tensor(try rebuiltTensor(arguments)))
    case .parameter:
      guard case .tensor(let tensor)? = arguments.first, arguments.count == 3 else {
        throw fault("a parameter is made from something else than a tensor and two arguments")
      }
      try push(.tensor(tensor))
    case .storage:
      throw Fault(
        position: position, message: "REDUCE calls \(global.name), which is not allowed",
        isUnsupported: true)
    }
  }

  /// Stands for an instance of a class: opaque, as its class is.
  mutating func makeObject(argumentCount: Int) throws {
    let kind = try pop(1 + argumentCount)[0]
    guard case .opaque = kind else {
      throw Fault(
        position: position, message: "NEWOBJ of \(kind.kind), which is not allowed",
        isUnsupported: true)
    }
    try push(kind)
  }

  /// What an object remembers beside its items is not needed of dictionaries, and refused of tensors and the like.
  mutating func build() throws {
    _ = try pop(1)
    if stack.count > marks.last ?? 0, case .opaque? = stack.last { return }
    guard stack.count > marks.last ?? 0, case .node(let index)? = stack.last,
      nodes[index].kind == .dictionary
    else {
      throw Fault(
        position: position,
        message: "BUILD of \(stack.last?.kind ?? "nothing"), which is not allowed",
        isUnsupported: true)
    }
  }

  func tuple(_ value: PickleValue) -> [PickleValue]? {
    guard case .node(let index) = value, nodes[index].kind == .tuple else { return nil }
    return nodes[index].elements
  }

  mutating func pushStorage() throws {
    let id = tuple(try pop(1)[0])
    if let id, id.count == 5, case .string("storage") = id[0], case .opaque = id[1] {
      return try push(id[1])
    }
    guard let parts = id, parts.count == 5, case .string("storage") = parts[0],
      case .global(.storage(let type)) = parts[1], case .string(let key) = parts[2],
      case .string = parts[3], case .integer(let count) = parts[4], let count = Int(exactly: count),
      count >= 0
    else { throw fault("a persistent id is not (\"storage\", class, key, place, count)") }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
    guard let range = storage(key) else {
      throw fault("the archive has no storage \"\(JSONError.excerpt(of: key))\"")
    }
    guard !overflow, byteCount == range.count else {
      throw fault(
        "storage \"\(JSONError.excerpt(of: key))\" has \(range.count) bytes, expected \(count) elements of "
          + "\(type.rawValue)")
    }
    let first = storageTypes.updateValue(type, forKey: key) ?? type
    guard first == type else {
      throw fault(
        "storage \"\(JSONError.excerpt(of: key))\" is read as \(type.rawValue), and before as \(first.rawValue)"
      )
    }
    try push(.storage(PickleStorage(type: type, start: range.lowerBound, count: count)))
  }
}
