/// Pieces of pickles, protocol 2.
public enum Pickled {
  /// The first instruction.
  public static let proto: [UInt8] = [0x80, 2]

  /// The last instruction.
  public static let stop: [UInt8] = [0x2E]

  /// Names a class or function.
  public static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }

  /// A string of at most 255 bytes.
  public static func string(_ text: String) -> [UInt8] {
    [0x8C, UInt8(text.utf8.count)] + Array(text.utf8)
  }

  /// A whole number.
  public static func integer(_ number: Int) -> [UInt8] {
    [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  /// A tuple of what its parts leave.
  public static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.flatMap { $0 } + [0x74] }

  /// A dictionary.
  public static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
    [0x7D, 0x28] + members.flatMap { string($0.0) + $0.1 } + [0x75]
  }

  /// A storage of the archive.
  public static func storage(_ key: String, _ type: String = "FloatStorage", count: Int) -> [UInt8]
  {
    tuple([string("storage"), global("torch", type), string(key), string("cpu"), integer(count)])
      + [0x51]
  }

  /// A tensor as `torch._utils._rebuild_tensor_v2` makes it.
  public static func tensor(
    _ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2")
      + tuple([
        storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)), [0x89],
        global("collections", "OrderedDict") + [0x29, 0x52],
      ]) + [0x52]
  }

  /// A checkpoint of a pickle's middle and one storage "0" of twelve floats 0, 1, 2, ….
  public static func file(_ pickle: [UInt8]) -> [UInt8] {
    let data = (0..<12).flatMap { number in
      withUnsafeBytes(of: Float(number).bitPattern.littleEndian) { Array($0) }
    }
    return zipArchive([("x/data.pkl", proto + pickle + stop), ("x/data/0", data)])
  }

  /// The same, of a dictionary with the tensor under `w`.
  public static func file(tensor: [UInt8]) -> [UInt8] { file(dictionary([("w", tensor)])) }
}
