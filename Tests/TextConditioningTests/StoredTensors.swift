import Checkpoints
import Foundation
import TensorCore

/// A safetensors file read in the plainest way, for fixtures that are known to be good.
struct StoredTensors: WeightSource {
  private struct Entry: Decodable {
    var dtype: String
    var shape: [Int]
    var data_offsets: [Int]
  }

  let name: String
  let keys: [String]
  private let entries: [String: Entry]
  private let bytes: [UInt8]

  /// Reads a fixture; `renamed` changes keys, nil drops one.
  init(_ file: String, renamed: (String) -> String? = { $0 }) throws {
    let data = [UInt8](try TextFixtures.data(file))
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = Data(data[8..<8 + length])
    let decoded = try JSONDecoder().decode([String: Entry].self, from: header)
    var entries: [String: Entry] = [:]
    for (key, entry) in decoded {
      if let key = renamed(key) { entries[key] = entry }
    }
    self.entries = entries
    bytes = Array(data[(8 + length)...])
    keys = entries.keys.sorted()
    name = file
  }

  func record(_ key: String) -> TensorRecord? {
    entries[key].flatMap { entry in
      ElementType(rawValue: entry.dtype).map { TensorRecord(type: $0, shape: entry.shape) }
    }
  }

  func tensor(_ key: String) throws -> Tensor {
    guard let entry = entries[key] else {
      throw CheckpointError(.missingTensor, file: name, key: key, "not in the fixture")
    }
    let raw = bytes[entry.data_offsets[0]..<entry.data_offsets[1]]
    let values: [Float] = raw.withUnsafeBytes { raw in
      let count = entry.shape.reduce(1, *)
      return (0..<count).map { index in
        entry.dtype == "F16"
          ? Float(raw.loadUnaligned(fromByteOffset: 2 * index, as: Float16.self))
          : raw.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
      }
    }
    return Tensor(values, shape: entry.shape)
  }
}
