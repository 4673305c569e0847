import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// Checkpoints that want to run something, or are damaged, end in an error that says why.
@Suite struct HostilePickleTests {
  private func error(
    _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CheckpointError {
    let folder = try TemporaryFolder()
    let path = try folder.write(bytes, to: "x.pth")
    return try refusal({ try PickleFile(path: path) }, sourceLocation: sourceLocation)
  }

  @Test func functionsAreRefusedByNameAndNotCalled() throws {
    let error = try refusal { try PickleFile(path: torchFixture("calls.pth")) }
    #expect(error.code == .unsupported && error.message.contains("posix.system"))
    #expect(!FileManager.default.fileExists(atPath: "/tmp/triptych-was-here"))
    let other = try refusal { try PickleFile(path: torchFixture("class.pth")) }
    #expect(other.message.contains("slice") && other.message.contains("byte"))
  }

  @Test(arguments: [
    ("os", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("torch", "load"),
    ("torch", "FloatStorage.__init__"), ("torch._utils", "_rebuild_tensor_v2 "),
    ("collections", "OrderedDict\u{0}"), ("", ""), ("torch.storage", "_load_from_bytes"),
    ("numpy.core.multiarray", "scalar"), ("torch._utils", "_rebuild_device_tensor_from_numpy"),
  ])
  func anyOtherNameIsRefused(_ module: String, _ name: String) throws {
    let named = try error(Pickled.file(Pickled.global(module, name)))
    #expect(named.code == .unsupported && named.message.contains("not allowed"))
    // STACK_GLOBAL takes the same name from two strings.
    let stacked = try error(Pickled.file(Pickled.string(module) + Pickled.string(name) + [0x93]))
    #expect(stacked.code == .unsupported && stacked.message.contains("not allowed"))
  }

  @Test func allowedNamesCannotBeCalledInOtherWays() throws {
    let unread = Pickled.global("a.b", "C")
    for use: [UInt8] in [[0x29, 0x52], [0x7D, 0x62], [0x29, 0x81], [0x29, 0x7D, 0x92]] {
      #expect(try error(Pickled.file(unread + use)).message.contains("a.b.C, which is not allowed"))
    }
    let object = Pickled.global("collections", "OrderedDict") + [0x29, 0x81]
    #expect(try error(Pickled.file(object)).message.contains("NEWOBJ of collections.OrderedDict"))
    let storage = Pickled.global("torch", "FloatStorage") + [0x29, 0x52]
    #expect(try error(Pickled.file(storage)).message.contains("REDUCE calls"))
    let ordered = Pickled.global("collections", "OrderedDict")
    #expect(
      try error(Pickled.file(ordered + Pickled.tuple([Pickled.integer(1)]) + [0x52])).message
        .contains("expected none"))
  }

  @Test func everyOpcodeThatIsNotListedIsRefusedByNameAndPlace() throws {
    let allowed: Set<UInt8> = [
      0x80, 0x95, 0x2E, 0x28, 0x4E, 0x88, 0x89, 0x4A, 0x4B, 0x4D, 0x8A, 0x47, 0x58, 0x8C, 0x5D,
      0x61, 0x65, 0x29, 0x74, 0x85, 0x86, 0x87, 0x7D, 0x73, 0x75, 0x68, 0x6A, 0x71, 0x72, 0x94,
      0x63, 0x93, 0x52, 0x62, 0x51, 0x81, 0x92, 0x42, 0x43, 0x8F, 0x90, 0x91,
    ]
    var named = 0
    for code in UInt8.min...UInt8.max where !allowed.contains(code) {
      let found = try error(Pickled.file([0x4E, code, 0, 0, 0, 0]))
      #expect(found.message.contains("byte 3"), "\(code): \(found)")
      #expect(
        found.message.contains("is not carried out") || found.message.contains("no pickle"),
        "\(code): \(found)")
      named += found.code == .unsupported ? 1 : 0
    }
    #expect(named == 26)
    #expect(try error(Pickled.file([0x69])).message.contains("INST"))
    #expect(try error(Pickled.file([0x82])).message.contains("EXT1"))
  }

  /// A training checkpoint with one tensor, a value beside it in the state and one beside the state.
  private func training(state: [UInt8]? = nil, beside: [UInt8]) -> [UInt8] {
    let tensor = Pickled.tensor(Pickled.storage("0", count: 12), shape: [12], strides: [1])
    let inner = state.map { [("w", tensor), ("extra", $0)] } ?? [("w", tensor)]
    return Pickled.file(
      Pickled.dictionary([("callbacks", beside), ("state_dict", Pickled.dictionary(inner))]))
  }

  /// An object of a class that nobody knows, made in several ways.
  private static let strangers: [(name: String, bytes: [UInt8])] = [
    ("the class", Pickled.global("os", "system")),
    ("a call", Pickled.global("os", "system") + Pickled.tuple([Pickled.string("true")]) + [0x52]),
    ("an instance", Pickled.global("os", "system") + [0x29, 0x81, 0x7D, 0x62]),
    ("an instance by name", Pickled.global("os", "system") + [0x29, 0x7D, 0x92]),
    (
      "an object with items",
      Pickled.global("os", "system") + [0x29, 0x52] + Pickled.integer(1) + Pickled.integer(2)
        + [0x73]
    ),
    (
      "a tensor of its storage",
      Pickled.tensor(
        Pickled.tuple([
          Pickled.string("storage"), Pickled.global("os", "system"), Pickled.string("0"),
          Pickled.string("cpu"), Pickled.integer(12),
        ]) + [0x51], shape: [12], strides: [1])
    ),
    ("a key", [0x7D] + Pickled.global("os", "system") + [0x4E, 0x73]),
    ("deep inside", Pickled.tuple([Pickled.dictionary([("a", Pickled.global("os", "system"))])])),
    ("in a set", [0x8F, 0x28] + Pickled.global("os", "system") + [0x90]),
  ]

  @Test func whatStandsBesideTheStateMayNameAnythingAndNothingIsRun() throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in Self.strangers {
      let file = try PickleFile(path: folder.write(training(beside: bytes), to: "x.ckpt"))
      #expect(file.keys == ["w"] && file.passedOver == ["callbacks"], "\(name)")
      #expect(file.passedOverClasses == ["os.system"], "\(name)")
      #expect(try file.tensor("w").values.count == 12)
    }
  }

  @Test func theStateItselfMayNotNameIt() throws {
    for (name, bytes) in Self.strangers {
      let found = try error(training(state: bytes, beside: [0x4E]))
      #expect(found.code == .unsupported && found.key == "extra", "\(name): \(found)")
      #expect(found.message.contains("os.system, which is not allowed"), "\(name): \(found)")
      #expect(found.message.contains("data.pkl, byte "), "\(name): \(found)")
      // A file that is nothing else than a state has nothing beside it.
      let bare = Pickled.file(Pickled.dictionary([("extra", bytes)]))
      #expect(try error(bare).message.contains("os.system, which is not allowed"), "\(name)")
    }
    // The state as an object, and a state that remembers itself.
    let object = Pickled.dictionary([("state_dict", Pickled.global("os", "system"))])
    #expect(try error(Pickled.file(object)).key == "state_dict")
    let cycle: [UInt8] = [0x5D, 0x71, 0, 0x68, 0, 0x61]
    let tensor = Pickled.tensor(Pickled.storage("0", count: 12), shape: [12], strides: [1])
    let folder = try TemporaryFolder()
    let path = try folder.write(
      Pickled.file(Pickled.dictionary([("w", tensor), ("loop", cycle)])), to: "x.pth")
    #expect(try PickleFile(path: path).passedOver == ["loop"])
  }

  @Test func namesOfClassesAreBounded() throws {
    let many =
      [UInt8]([0x5D, 0x28])
      + (0..<(1 << 16) + 1).flatMap { _ in Pickled.global("a", "b") } + [0x65]
    #expect(try error(Pickled.file(many)).message.contains("names of classes"))
    let text = String(repeating: "x", count: 250)
    let long = [UInt8]([0x5D]) + Pickled.string(text) + [0x71, 0] + Pickled.string(text)
    #expect(try error(Pickled.file(long + [0x93, 0x61])).code == .unsupported)
    let longer = Array(repeating: UInt8(ascii: "x"), count: 600)
    let unicode: [UInt8] = [0x58, 0x58, 2, 0, 0] + longer
    #expect(
      try error(Pickled.file(unicode + Pickled.string("y") + [0x93])).message
        .contains("names of classes"))
  }

  @Test func tensorsOutsideTheirStorageAreRefused() throws {
    let storage = Pickled.storage("0", count: 12)
    let big = Int.max
    for (offset, shape, strides) in [
      (0, [13], [1]), (1, [12], [1]), (0, [3, 4], [5, 1]), (13, [0], [1]), (-1, [1], [1]),
      (0, [big, big], [1, 1]), (0, [big], [0]), (0, [2], [big]), (big, [2], [1]),
      (0, [4, 4], [0, 1]), (0, [-1], [1]), (0, [2], [-1]), (0, [2, 2], [1]),
    ] {
      let tensor = Pickled.tensor(storage, offset: offset, shape: shape, strides: strides)
      let found = try error(Pickled.file(tensor: tensor))
      #expect(found.code == .malformed && found.message.contains("data.pkl, byte"), "\(found)")
    }
    for (key, type, count) in [
      ("0", "FloatStorage", 11), ("0", "FloatStorage", 13), ("0", "DoubleStorage", 12),
      ("1", "FloatStorage", 12), ("../data/0", "FloatStorage", 12), ("0", "FloatStorage", -12),
      ("0", "FloatStorage", big), ("0", "HalfStorage", 12),
    ] {
      let tensor = Pickled.tensor(
        Pickled.storage(key, type, count: count), shape: [2], strides: [1])
      #expect(try error(Pickled.file(tensor: tensor)).code == .malformed, "\(key) \(type) \(count)")
    }
    let axes = [Int](repeating: 1, count: 65)
    let deep = Pickled.tensor(storage, shape: axes, strides: axes)
    #expect(try error(Pickled.file(tensor: deep)).message.contains("65 axes"))
  }

  @Test func nestingAndRepetitionEndInAnError() throws {
    let limit = 1 << 20
    for (start, piece, repetitions) in [
      ([], [0x5D], limit + 2),  // lists and nothing else
      ([], [0x28], limit + 2),  // marks
      ([], [0x4E], limit + 2),  // values
      ([0x4E], [0x94], limit + 2),  // memory
      ([0x5D], [0x4E, 0x85], limit + 2),  // tuple in tuple
      ([0x5D, 0x71, 0], [0x68, 0, 0x85, 0x71, 0], 2 * limit),
      ([0x5D, 0x71, 0], [0x68, 0, 0x61], 5 * limit),  // a list into itself
    ] as [([UInt8], [UInt8], Int)] {
      var pickle = start
      pickle.reserveCapacity(piece.count * repetitions + 16)
      for _ in 0..<repetitions { pickle += piece }
      #expect(try error(Pickled.file(pickle)).message.contains("more than"), "\(piece)")
    }
    // A dictionary that holds itself is nothing special.
    let itself = [0x7D, 0x71, 0] + Pickled.string("model") + [0x68, 0, 0x73]
    #expect(try error(Pickled.file(itself)).message.contains("holds no tensors"))
  }

  @Test func whatHoldsNoTensorsSaysWhatItHolds() throws {
    let bare = try refusal { try PickleFile(path: torchFixture("bare-tensor.pt")) }
    #expect(bare.message.contains("holds a tensor"))
    let none = try refusal { try PickleFile(path: torchFixture("no-tensors.pt")) }
    #expect(none.message.contains("epoch, notes"))
    #expect(try error(Pickled.file([0x4E])).message.contains("holds None"))
  }

  @Test func brokenArchivesAreRefused() throws {
    let pickle = Pickled.proto + [0x4E] + Pickled.stop
    for (entries, part) in [
      ([], "0 entries"), ([("data.pkl", pickle)], "0 entries"),
      ([("x/data.pkl", pickle), ("y/data.pkl", pickle)], "2 entries"),
      ([("x/data.pkl", pickle), ("x/data.pkl", pickle)], "two zip entries"),
      ([("x/data.pkl", pickle), ("x/byteorder", Array("big".utf8))], "byte order"),
    ] as [([(String, [UInt8])], String)] {
      #expect(try error(zipArchive(entries)).message.contains(part), "\(part)")
    }
    let sound = zipArchive([("x/data.pkl", pickle)])
    for (offset, value, part) in [
      (0, 0, "has no signature"), (30, 0x79, "another name"), (26, 200, "another name"),
      (28, 200, "leaves no room"),
    ] as [(Int, UInt8, String)] {
      var damaged = sound
      damaged[offset] = value
      #expect(try error(damaged).message.contains(part), "\(part)")
    }
    // In the directory: compressed, encrypted, longer than the file.
    let directory = sound.count - 22 - 46 - 10
    for offset in [10, 8, 20, 24, 42] {
      var damaged = sound
      damaged[directory + offset] ^= offset == 8 ? 1 : 0x7F
      #expect([.malformed, .unsupported].contains(try error(damaged).code), "\(offset)")
    }
  }

  @Test(arguments: ["module.pth", "training.ckpt", "protocol-4.pt"])
  func truncationsAreRefused(_ name: String) throws {
    let bytes = try fileBytes(torchFixture(name))
    let folder = try TemporaryFolder()
    for count in stride(from: 0, to: bytes.count, by: 3) {
      let path = try folder.write(Array(bytes[0..<count]), to: "x.pth")
      #expect(try refusal { try PickleFile(path: path) }.code == .malformed, "\(count)")
    }
    // And of the pickle alone, in a sound archive.
    let (pickle, data) = try parts(of: bytes)
    for count in 0..<pickle.count {
      let archive = zipArchive([("x/data.pkl", Array(pickle[0..<count]))] + data)
      let path = try folder.write(archive, to: "x.pth")
      #expect(try refusal { try PickleFile(path: path) }.code == .malformed, "pickle \(count)")
    }
  }

  @Test func bitFlipsLoadOrThrow() throws {
    let bytes = try fileBytes(torchFixture("module.pth"))
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 6)
    // Every bit of the pickle, which comes first, and one of each byte of the rest.
    let start = try #require(bytes.firstIndex(of: 0x80))
    let end = start + (try parts(of: bytes)).0.count
    let bits =
      Array(8 * start..<8 * end)
      + (end..<bytes.count).map { 8 * $0 + Int.random(in: 0..<8, using: &random) }
    var refused = 0
    for bit in bits {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      refused += try loadsOrThrows(flipped, in: folder) ? 0 : 1
    }
    print("bit flips refused: \(refused) of \(bits.count)")
    #expect(refused > 3000)
  }

  @Test(arguments: ["module.pth", "training.ckpt", "every-type.pt", "protocol-4.pt"])
  func seededDamageToThePickleLoadsOrThrows(_ name: String) throws {
    let (pickle, data) = try parts(of: try fileBytes(torchFixture(name)))
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 5)
    let opcodes = Array("(.NJKMX]ae)t}subhjqrcRQ0122PSTUVBdlgpio".utf8) + Array(0x80...0x98)
    var refused = 0
    let cases = 1500
    for _ in 0..<cases {
      var damaged = pickle
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: damaged[place] = .random(in: 0...255, using: &random)
        case 1: damaged.remove(at: place)
        case 2: damaged.insert(random.choose(opcodes), at: place)
        case 3:
          let end = min(damaged.count, place + Int.random(in: 1...40, using: &random))
          damaged.insert(contentsOf: damaged[place..<end], at: place)
        default: damaged[place] = random.choose(opcodes)
        }
      }
      let archive = zipArchive([("x/data.pkl", damaged)] + data)
      refused += try loadsOrThrows(archive, in: folder) ? 0 : 1
    }
    print("\(name): damaged pickles refused: \(refused) of \(cases)")
    #expect(refused > cases / 2)
  }

  /// The pickle of a checkpoint and its storages under the folder `x`, found without the reader under test.
  private func parts(of bytes: [UInt8]) throws -> ([UInt8], [(String, [UInt8])]) {
    var (pickle, data): ([UInt8], [(String, [UInt8])]) = ([], [])
    var place = bytes.count - 22
    func number(_ at: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    let count = number(place + 10, 2)
    place = number(place + 16, 4)
    for _ in 0..<count {
      let (size, offset) = (number(place + 24, 4), number(place + 42, 4))
      let (nameLength, extraLength) = (number(place + 28, 2), number(place + 30, 2))
      let name = String(decoding: bytes[place + 46..<place + 46 + nameLength], as: UTF8.self)
      let start = offset + 30 + number(offset + 26, 2) + number(offset + 28, 2)
      let contents = Array(bytes[start..<start + size])
      if name.hasSuffix("/data.pkl") { pickle = contents }
      if let range = name.range(of: "/data/") {
        data.append(("x/data/" + name[range.upperBound...], contents))
      }
      place += 46 + nameLength + extraLength
    }
    #expect(!pickle.isEmpty && !data.isEmpty)
    return (pickle, data)
  }

  private func loadsOrThrows(_ bytes: [UInt8], in folder: TemporaryFolder) throws -> Bool {
    let path = try folder.write(bytes, to: "x.pth")
    do {
      try readEverything(try PickleFile(path: path))
      return true
    } catch let error as CheckpointError {
      #expect(
        [.malformed, .unsupported, .notFinite].contains(error.code), "\(error)")
      #expect(!error.description.contains("\n"))
      return false
    }
  }
}
