import CanonicalJSON
public import TensorCore

/// A checkpoint that `torch.save` wrote, mapped into memory: a zip archive with a pickle and the tensors' bytes.
///
/// The pickle is read once, when the file is opened, by a machine that rebuilds tensors and calls nothing; tensors
/// are read when they are asked for. A file that is a dictionary with the tensors under `state_dict`,
/// `model_state_dict` or `model` (training checkpoints) is read from there, and what stands beside is passed over by
/// name, also where it names classes and functions that are not read; of the dictionary of tensors itself, only the
/// tensors are read, and a value of any such class in it is refused.
///
/// - Source: PyTorch `torch/serialization.py`.
public final class PickleFile: WeightSource {
  /// Where training checkpoints keep their tensors.
  static let nestedNames = ["state_dict", "model_state_dict", "model", EmbeddingFile.nesting]
  /// The longest pickle that is read; that of a large checkpoint takes about a megabyte.
  static let pickleByteLimit = 16 << 20
  /// The newest version of the archive that is known.
  static let newestVersion = 10

  /// The path of the file.
  public let name: String
  /// Every key, sorted.
  public let keys: [String]
  /// The key under which the tensors stand; nil where the file is nothing else than a dictionary of them.
  public let nesting: String?
  /// The other keys on the tensors' level and above, which are not read, sorted.
  public let passedOver: [String]
  /// The classes and functions that what is not read names, sorted; none of them was looked up or called.
  public let passedOverClasses: [String]
  /// The whole numbers beside the dictionary of tensors, such as `epoch` and `global_step`.
  public let numbers: [String: Int64]
  /// The strings of the file's outermost dictionary, such as the name of an embedding.
  public let texts: [String: String]

  private let file: MappedFile
  private let tensors: [String: PickleTensor]

  /// Opens a file and reads its pickle.
  ///
  /// - Throws: ``CheckpointError`` with the rule that is broken, or the class or instruction that is refused.
  public init(path: String) throws {
    let file = try MappedFile(path: path)
    let directory = try ZipDirectory(file)
    let (pickle, folder) = try Self.pickle(in: directory, file)
    try Self.checkByteOrder(directory.ranges[folder + "byteorder"], file)
    try Self.checkVersion(directory.ranges[folder + "version"], file)
    var machine = PickleMachine(try file.copiedBytes(pickle)) {
      directory.ranges["\(folder)data/\($0)"]
    }
    file.discard(pickle)
    let value: PickleValue
    do {
      value = try machine.run()
    } catch let fault as PickleMachine.Fault {
      throw CheckpointError(
        fault.isUnsupported ? .unsupported : .malformed, file: path,
        "data.pkl, byte \(fault.position): \(fault.message)")
    }
    guard let top = try Self.members(value, machine, path) else {
      if case .opaque(let index) = value {
        throw CheckpointError(.unsupported, file: path, machine.opaques[index].refusal)
      }
      throw CheckpointError(
        .unsupported, file: path,
        "holds \(value.kind), expected a dictionary of tensors; save the state_dict")
    }
    let nested = try Self.nested(in: top, machine, path)
    let state = try Self.state(nested?.members ?? top, machine, path)
    let beside = nested.map { nested in top.filter { Self.text($0.key) != nested.name } } ?? []
    name = path
    texts = Dictionary(
      top.compactMap { member in
        guard case .string(let key) = member.key, case .string(let text) = member.value else {
          return nil
        }
        return (key, text)
      }, uniquingKeysWith: { first, _ in first })
    keys = state.tensors.keys.sorted()
    nesting = nested?.name
    passedOver = (state.others + beside.map { Self.text($0.key) }).sorted()
    passedOverClasses = Set(machine.opaques.map(\.name)).sorted()
    var numbers: [String: Int64] = [:]
    for case (.string(let key), .integer(let number)) in beside { numbers[key] = number }
    self.numbers = numbers
    self.file = file
    tensors = state.tensors
  }

  /// Type and shape of a key; nil where there is no such key.
  public func record(_ key: String) -> TensorRecord? {
    tensors[key].map { TensorRecord(type: $0.storage.type, shape: $0.shape) }
  }

  /// The tensor of a key, widened to float (F64: rounded) and checked to be finite.
  ///
  /// - Throws: ``CheckpointError`` naming the key where it is absent, of a type that is not computed with, or holds
  ///   NaN or infinity, and where the file was cut short since it was opened.
  public func tensor(_ key: String) throws -> Tensor {
    guard let stored = tensors[key] else { throw CheckpointError.missing(key, in: name) }
    let type = stored.storage.type
    guard type.isComputable || type == .float64 else {
      throw CheckpointError(
        .unsupported, file: name, key: key,
        "stored as \(type.rawValue), which is not computed with; expected F64, F32, F16 or BF16")
    }
    let start = stored.storage.start + stored.offset * type.byteCount
    let tensor =
      stored.isContiguous
      ? try file.tensor(type, at: start, shape: stored.shape)
      : try gathered(stored, type, start)
    if let error = CheckpointError.notFinite(tensor, key: key, in: name) { throw error }
    return tensor
  }

  /// A view whose elements lie scattered: the stretch of the storage it spans, put into row-major order.
  private func gathered(_ stored: PickleTensor, _ type: ElementType, _ start: Int) throws -> Tensor
  {
    // An axis of one element may have any stride, also one that no index can be moved by.
    let axes = zip(stored.shape, stored.strides).map { ($0, $0 == 1 ? 0 : $1) }
    guard !stored.shape.contains(0) else { return Tensor.zeros(stored.shape) }
    let reach = axes.reduce(0) { $0 + ($1.0 - 1) * $1.1 }
    let span = try file.tensor(type, at: start, shape: [reach + 1])
    return unsafe span.withUnsafeBuffer { source in
      unsafe Tensor(shape: stored.shape) { out in
        var index = [Int](repeating: 0, count: axes.count)
        var place = 0
        for element in 0..<out.count {
          unsafe out[element] = source[place]
          for axis in axes.indices.reversed() {
            index[axis] += 1
            place += axes[axis].1
            if index[axis] < axes[axis].0 { break }
            place -= axes[axis].0 * axes[axis].1
            index[axis] = 0
          }
        }
      }
    }
  }

  /// The bytes of the pickle, and the archive's top folder with its slash.
  private static func pickle(
    in directory: ZipDirectory, _ file: MappedFile
  ) throws -> (Range<Int>, String) {
    let name = "data.pkl"
    let found = directory.ranges.filter {
      $0.key.hasSuffix("/" + name) && $0.key.firstIndex(of: "/") == $0.key.lastIndex(of: "/")
    }
    guard let pickle = found.first, found.count == 1 else {
      throw CheckpointError(
        .unsupported, file: file.path,
        "a zip archive with \(found.count) entries FOLDER/\(name), expected one as torch.save writes it"
      )
    }
    guard pickle.value.count <= pickleByteLimit else {
      throw CheckpointError(
        .malformed, file: file.path,
        "\(name) has \(pickle.value.count) bytes, at most \(pickleByteLimit) are read")
    }
    return (pickle.value, String(pickle.key.dropLast(name.count)))
  }

  private static func checkByteOrder(_ range: Range<Int>?, _ file: MappedFile) throws {
    guard let range else { return }
    let text = String(decoding: try file.copiedBytes(range.prefix(16)), as: UTF8.self)
    guard text == "little" else {
      throw CheckpointError(
        .unsupported, file: file.path,
        "the byte order is \"\(JSONError.excerpt(of: text))\", expected \"little\"")
    }
  }

  /// The tensors of a dictionary, and the other keys in it.
  ///
  /// - Throws: ``CheckpointError`` where there is no tensor, or something of a class that is not read.
  private static func state(
    _ members: [(key: PickleValue, value: PickleValue)], _ machine: PickleMachine, _ path: String
  ) throws -> (tensors: [String: PickleTensor], others: [String]) {
    var (tensors, others): ([String: PickleTensor], [String]) = ([:], [])
    var seen: Set<Int> = []
    for (key, value) in members {
      for part in [key, value] {
        if let opaque = machine.firstOpaque(in: part, seen: &seen) {
          throw CheckpointError(.unsupported, file: path, key: text(key), opaque.refusal)
        }
      }
      if case .string(let key) = key, case .tensor(let tensor) = value {
        tensors[key] = tensor
      } else {
        others.append(text(key))
      }
    }
    guard !tensors.isEmpty else {
      let found = others.sorted().prefix(8).map { JSONError.excerpt(of: $0) }.joined(
        separator: ", ")
      throw CheckpointError(
        .unsupported, file: path,
        "holds no tensors; found \(found.isEmpty ? "nothing" : "the keys \(found)"), expected a state_dict"
      )
    }
    return (tensors, others)
  }

  private static func checkVersion(_ range: Range<Int>?, _ file: MappedFile) throws {
    guard let range else { return }
    let text = String(decoding: try file.copiedBytes(range.prefix(16)), as: UTF8.self)
    let digits = text.hasSuffix("\n") ? String(text.dropLast()) : text
    guard let version = Int(digits), 1...newestVersion ~= version else {
      throw CheckpointError(
        .unsupported, file: file.path,
        "the archive's version is \"\(JSONError.excerpt(of: digits))\", expected 1 to \(newestVersion)"
      )
    }
  }

  /// Key and value of each member of a dictionary; nil where the value is none.
  ///
  /// - Throws: ``CheckpointError`` where two have the same name, of which Python would keep the last.
  private static func members(
    _ value: PickleValue, _ machine: PickleMachine, _ path: String
  ) throws -> [(key: PickleValue, value: PickleValue)]? {
    guard let members = machine.members(value) else { return nil }
    var names: Set<String> = []
    for case (.string(let name), _) in members where !names.insert(name).inserted {
      throw CheckpointError(
        .malformed, file: path, key: name, "two members of one dictionary have this name")
    }
    return members
  }

  private static func nested(
    in top: [(key: PickleValue, value: PickleValue)], _ machine: PickleMachine, _ path: String
  ) throws -> (name: String, members: [(key: PickleValue, value: PickleValue)])? {
    for name in nestedNames {
      for (key, value) in top {
        guard case .string(name) = key, let members = try members(value, machine, path) else {
          continue
        }
        return (name, members)
      }
    }
    return nil
  }

  private static func text(_ key: PickleValue) -> String {
    switch key {
    case .string(let text): text
    case .integer(let number): "\(number)"
    default: key.kind
    }
  }
}

extension Range<Int> {
  /// At most the first `count`.
  fileprivate func prefix(_ count: Int) -> Range<Int> {
    lowerBound..<Swift.min(upperBound, lowerBound + count)
  }
}
