import Checkpoints
import TensorCore

/// Another source's tensors under other keys.
struct RenamedSource: WeightSource {
  private let source: any WeightSource
  private let originals: [String: String]

  /// Changes keys by `renamed`; nil leaves a tensor out.
  init(_ source: any WeightSource, _ renamed: (String) -> String?) {
    self.source = source
    var originals: [String: String] = [:]
    for key in source.keys {
      if let name = renamed(key) { originals[name] = key }
    }
    self.originals = originals
  }

  var name: String { source.name }
  var keys: [String] { originals.keys.sorted() }

  func record(_ key: String) -> TensorRecord? { originals[key].flatMap(source.record) }

  func tensor(_ key: String) throws -> Tensor { try source.tensor(originals[key] ?? key) }
}
