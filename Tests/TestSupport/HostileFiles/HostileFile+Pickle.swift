extension HostileFile {
  /// A pickle between its first and last instruction.
  private static func pickle(
    _ name: String, _ says: String, _ bytes: @escaping @Sendable () -> [UInt8]
  ) -> HostileFile {
    HostileFile("pickle-" + name, says) { Pickled.file(bytes()) }
  }

  /// A value in a dictionary of tensors.
  private static func value(_ name: String, _ says: String, _ bytes: [UInt8]) -> HostileFile {
    pickle(name, says) { state([("v", bytes)]) }
  }

  /// A whole pickle, of which nothing is added.
  private static func bare(_ name: String, _ says: String, _ pickle: [UInt8]) -> HostileFile {
    HostileFile("pickle-" + name, says) {
      zipArchive([("x/data.pkl", pickle), ("x/data/0", [UInt8](repeating: 0, count: 48))])
    }
  }

  /// A tensor of the storage of twelve floats, its offset, shape and strides as pickles.
  private static func tensor(
    _ name: String, _ says: String, storage: [UInt8] = Pickled.storage("0", count: 12),
    offset: [UInt8] = Pickled.integer(0), shape: [[UInt8]] = [Pickled.integer(12)],
    strides: [[UInt8]] = [Pickled.integer(1)]
  ) -> HostileFile {
    value(
      "tensor-" + name, says,
      call(
        "torch._utils", "_rebuild_tensor_v2",
        [storage, offset, Pickled.tuple(shape), Pickled.tuple(strides), [0x89], [0x7D]]))
  }

  private static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
    Pickled.global(module, name) + Pickled.tuple(arguments) + [0x52]
  }

  private static func storage(_ parts: [[UInt8]]) -> [UInt8] { Pickled.tuple(parts) + [0x51] }

  private static func numbers(_ numbers: Int...) -> [[UInt8]] { numbers.map(Pickled.integer) }

  private static func number(_ value: Double) -> [UInt8] {
    [0x47] + ZipArchive.little(Int(bitPattern: UInt(value.bitPattern)), 8).reversed()
  }

  private static let float = Pickled.global("torch", "FloatStorage")

  /// Broken rules of the pickle.
  public static let pickle: [HostileFile] = calls + machine + literals + storages + tensors + whole

  private static let calls: [HostileFile] = [
    value("os-system", "os.system, which is not allowed", Pickled.global("os", "system")),
    value(
      "os-system-called", "os.system, which is not allowed",
      call("os", "system", [Pickled.string("touch /tmp/triptych-was-here")])),
    value(
      "eval-from-the-stack", "builtins.eval, which is not allowed",
      Pickled.string("builtins") + Pickled.string("eval") + [0x93]),
    value(
      "getattr", "builtins.getattr, which is not allowed",
      call("builtins", "getattr", [float, Pickled.string("from_file")])),
    value(
      "numpy", "numpy.core.multiarray._reconstruct, which is not allowed",
      call("numpy.core.multiarray", "_reconstruct", [])),
    value(
      "nested-load", "torch.storage._load_from_bytes, which is not allowed",
      call("torch.storage", "_load_from_bytes", [[0x43, 0]])),
    value(
      "instance", "subprocess.Popen, which is not allowed",
      Pickled.global("subprocess", "Popen") + [0x29, 0x81]),
    value(
      "hidden-in-a-tuple", "os.system, which is not allowed",
      Pickled.tuple([Pickled.tuple([Pickled.global("os", "system")])])),
    pickle("whole-file-a-call", "os.system, which is not allowed") {
      call("os", "system", [Pickled.string("true")])
    },
    value("storage-called", "REDUCE calls", float + [0x29, 0x52]),
    value("string-called", "REDUCE of a string", Pickled.string("os.system") + [0x29, 0x52]),
    value("called-with-a-list", "with a container", float + [0x5D, 0x52]),
    value(
      "tensor-from-nothing", "is not made from storage",
      call("torch._utils", "_rebuild_tensor_v2", [])),
    value(
      "tensor-from-strings", "is not made from storage",
      call(
        "torch._utils", "_rebuild_tensor_v2", [[UInt8]](repeating: Pickled.string("0"), count: 6))),
    value(
      "parameter-of-a-number", "something else than a tensor",
      call("torch._utils", "_rebuild_parameter", numbers(1, 2, 3))),
    value(
      "dictionary-with-arguments", "expected none",
      call("collections", "OrderedDict", numbers(1))),
    value("instance-of-a-storage", "NEWOBJ of", float + [0x29, 0x81]),
    value("state-for-a-storage", "BUILD of", float + [0x7D, 0x62]),
    value("state-for-a-number", "BUILD of", [0x4B, 1, 0x7D, 0x62]),
  ]

  private static let machine: [HostileFile] = [
    value("inst", "INST", [0x28, 0x69] + Array("os\nsystem\n".utf8)),
    value("obj", "OBJ", [0x28] + Pickled.global("os", "system") + [0x6F]),
    value("extension-1", "EXT1", [0x82, 1]), value("extension-4", "EXT4", [0x84, 1, 0, 0, 0]),
    value("pop", "POP", [0x4E, 0x30]), value("dup", "DUP", [0x32]),
    value("text-put", "PUT", [0x4E, 0x70] + Array("0\n".utf8)),
    value("text-string", "STRING", [0x53] + Array("'a'\n".utf8)),
    value("buffer", "NEXT_BUFFER", [0x97]),
    value("no-instruction", "is no pickle instruction", [0xFF]),
    value("no-mark", "there is no mark", [0x74, 0x74, 0x74]),
    pickle("nothing-on-the-stack", "the stack has too few values") { [0x85] },
    pickle("values-before-the-mark", "the stack has too few values") { [0x4E, 0x28, 0x85] },
    pickle("mark-left", "left at the end") { [0x28, 0x4E] },
    pickle("two-values-left", "left at the end") { [0x4E, 0x4E] },
    pickle("nothing-left", "left at the end") { [] },
    value("append-to-a-dictionary", "expected a list to add to", [0x7D, 0x4E, 0x61]),
    value("items-for-a-list", "expected a dictionary to add to", [0x5D, 0x4E, 0x4E, 0x73]),
    value("key-without-a-value", "a key without a value", [0x7D, 0x28, 0x4E, 0x75]),
    value("never-remembered", "value 7 was never remembered", [0x68, 7]),
    value(
      "remembered-far-away", "value 4294967294 was never remembered",
      [0x4E, 0x72, 0xFF, 0xFF, 0xFF, 0xFF, 0x6A, 0xFE, 0xFF, 0xFF, 0xFF]),
    pickle("nothing-to-remember", "nothing to remember") { [0x94] },
  ]

  private static let literals: [HostileFile] = [
    value("long-of-255-bytes", "a whole number of 255 bytes", [0x8A, 255]),
    value("long-of-2-gigabytes", "LONG4", [0x8B, 0xFF, 0xFF, 0xFF, 0x7F]),
    value("string-of-4-gigabytes", "more byte(s) were expected", [0x58, 255, 255, 255, 255, 0x61]),
    value("bytes-of-4-gigabytes", "more byte(s) were expected", [0x42, 255, 255, 255, 255, 0x61]),
    value("string-of-8-exabytes", "BINUNICODE8", [0x8D] + ZipArchive.little(Int.max, 8)),
    value("bytes-of-8-exabytes", "BINBYTES8", [0x8E] + ZipArchive.little(-1, 8)),
    value("string-not-utf8", "a string is not UTF-8", [0x8C, 2, 0xC0, 0xAF]),
    value("class-not-utf8", "not UTF-8", [0x63, 0xFF, 0x0A, 0x61, 0x0A]),
    value(
      "class-without-a-line-end", "were expected", [0x63] + [UInt8](repeating: 0x61, count: 300)),
  ]

  private static let storages: [HostileFile] = [
    value("id-a-string", "a persistent id is not", Pickled.string("0") + [0x51]),
    value(
      "id-of-four", "a persistent id is not",
      storage([Pickled.string("storage"), float, Pickled.string("0"), Pickled.string("cpu")])),
    value(
      "id-of-something-else", "a persistent id is not",
      storage([
        Pickled.string("module"), float, Pickled.string("0"), Pickled.string("cpu"),
        Pickled.integer(12),
      ])),
    value(
      "id-with-a-number-for-its-key", "a persistent id is not",
      storage([
        Pickled.string("storage"), float, Pickled.integer(0), Pickled.string("cpu"),
        Pickled.integer(12),
      ])),
    value(
      "id-without-a-place", "a persistent id is not",
      storage([
        Pickled.string("storage"), float, Pickled.string("0"), [0x4E], Pickled.integer(12),
      ])),
    value("storage-unknown", "no storage \"1\"", Pickled.storage("1", count: 12)),
    value("storage-elsewhere", "no storage", Pickled.storage("../data/0", count: 12)),
    value("storage-too-short", "has 48 bytes", Pickled.storage("0", count: 13)),
    value("storage-too-long", "has 48 bytes", Pickled.storage("0", count: 11)),
    value("storage-negative", "a persistent id is not", Pickled.storage("0", count: -12)),
    value("storage-overflows", "has 48 bytes", Pickled.storage("0", count: Int.max)),
    value(
      "storage-of-two-types", "is read as I32, and before as F32",
      Pickled.storage("0", "IntStorage", count: 12)),
  ]

  private static let tensors: [HostileFile] = [
    tensor("stride-negative", "expected numbers from 0", strides: numbers(-1)),
    tensor("shape-negative", "expected numbers from 0", shape: numbers(-1)),
    tensor(
      "terabytes-by-stride-0", "outside its storage", shape: numbers(1 << 40), strides: numbers(0)),
    tensor("offset-overflows", "outside its storage", offset: Pickled.integer(Int.max)),
    tensor("offset-negative", "outside its storage", offset: Pickled.integer(-1)),
    tensor(
      "shape-overflows", "outside its storage", shape: numbers(1 << 32, 1 << 32, 1),
      strides: numbers(0, 0, 0)),
    tensor(
      "stride-overflows", "outside its storage", shape: numbers(3), strides: numbers(Int.max)),
    tensor("one-element-too-many", "outside its storage", shape: numbers(13)),
    tensor(
      "fewer-strides-than-axes", "with 1 strides", shape: numbers(3, 4)),
    tensor(
      "seventy-axes", "70 axes", shape: [[UInt8]](repeating: Pickled.integer(1), count: 70),
      strides: [[UInt8]](repeating: Pickled.integer(1), count: 70)),
    tensor("shape-a-float", "expected numbers from 0", shape: [number(12)]),
    tensor("shape-not-a-number", "expected numbers from 0", shape: [number(.nan)]),
    tensor("shape-infinite", "expected numbers from 0", shape: [number(.infinity)]),
    tensor("shape-true", "expected numbers from 0", shape: [[0x88]]),
    tensor("offset-a-float", "is not made from storage", offset: number(0)),
    tensor("storage-a-string", "is not made from storage", storage: Pickled.string("0")),
    HostileFile("pickle-tensor-not-a-number", "is NaN, expected finite numbers") {
      let data = [UInt8](repeating: 0xFF, count: 48)
      return zipArchive([
        ("x/data.pkl", Pickled.proto + state([]) + Pickled.stop), ("x/data/0", data),
      ])
    },
  ]

  private static let whole: [HostileFile] = [
    value("member-twice", "two members of one dictionary", [0x4E] + Pickled.string("v") + [0x4E]),
    pickle("state-twice", "two members of one dictionary") {
      Pickled.dictionary([("state_dict", state([])), ("state_dict", state([]))])
    },
    pickle("keys-no-strings", "found the keys 5") {
      let tensor = Pickled.tensor(Pickled.storage("0", count: 12), shape: [12], strides: [1])
      return [0x7D] + Pickled.integer(5) + tensor + [0x73]
    },
    pickle("a-list-that-holds-itself", "expected a dictionary") { [0x5D, 0x71, 0, 0x68, 0, 0x61] },
    pickle("a-state-that-is-itself", "holds no tensors") {
      [0x7D, 0x71, 0] + Pickled.string("state_dict") + [0x68, 0, 0x73]
    },
    pickle("a-number", "holds a whole number, expected a dictionary") { [0x4B, 1] },
    bare("empty", "it was cut short", []),
    bare("protocol-6", "protocol 6", [0x80, 6, 0x4E, 0x2E]),
    bare("protocol-1", "protocol 1", [0x80, 1, 0x4E, 0x2E]),
    bare("no-stop", "it was cut short", Pickled.proto + state([])),
    bare(
      "bytes-after-stop", "4 bytes follow the end", Pickled.proto + state([]) + [0x2E, 1, 2, 3, 4]),
    bare(
      "frame-too-long", "a frame of 4096 bytes",
      [0x80, 4, 0x95] + ZipArchive.little(4096, 8) + state([]) + [0x2E]),
    bare(
      "frame-without-end", "a frame of 18446744073709551615 bytes",
      [0x80, 4, 0x95] + ZipArchive.little(-1, 8) + state([]) + [0x2E]),
    bare(
      "frame-in-a-frame", "before the last one ends",
      [0x80, 4, 0x95] + ZipArchive.little(20, 8) + [0x95] + ZipArchive.little(1, 8) + state([])
        + [0x2E]),
  ]
}
