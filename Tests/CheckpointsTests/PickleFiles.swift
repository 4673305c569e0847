import Checkpoints
import Foundation
import TensorCore
import TestSupport

/// Pieces of pickles, protocol 2.
enum Pickled {
  static let proto: [UInt8] = [0x80, 2]
  static let stop: [UInt8] = [0x2E]
  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }
  static func string(_ text: String) -> [UInt8] {
    [0x8C, UInt8(text.utf8.count)] + Array(text.utf8)
  }
  static func integer(_ number: Int) -> [UInt8] {
    [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
  static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.flatMap { $0 } + [0x74] }
  static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
    [0x7D, 0x28] + members.flatMap { string($0.0) + $0.1 } + [0x75]
  }
  static func storage(_ key: String, _ type: String = "FloatStorage", count: Int) -> [UInt8] {
    tuple([string("storage"), global("torch", type), string(key), string("cpu"), integer(count)])
      + [0x51]
  }
  static func tensor(
    _ storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2")
      + tuple([
        storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)), [0x89],
        global("collections", "OrderedDict") + [0x29, 0x52],
      ]) + [0x52]
  }

  /// A checkpoint of a pickle's middle and one storage "0" of twelve floats 0, 1, 2, ….
  static func file(_ pickle: [UInt8]) -> [UInt8] {
    let data = (0..<12).flatMap { number in
      withUnsafeBytes(of: Float(number).bitPattern.littleEndian) { Array($0) }
    }
    return zipArchive([("x/data.pkl", proto + pickle + stop), ("x/data/0", data)])
  }

  static func file(tensor: [UInt8]) -> [UInt8] { file(dictionary([("w", tensor)])) }
}

func torchFixture(_ name: String) -> String { fixturePath("torch/" + name) }

/// Reads every tensor of a checkpoint in the way its type allows.
func readEverything(_ file: PickleFile) throws {
  for key in file.keys {
    guard let type = file.record(key)?.type, type.isComputable || type == .float64 else { continue }
    _ = try file.tensor(key)
  }
}
