import CanonicalJSON
public import Checkpoints
public import TensorCore

/// A checkpoint whose tensors are made by ``Formula`` when they are asked for.
public struct FormulaWeights: WeightSource {
  /// What stands for the file in messages.
  public let name: String
  /// Every key, sorted.
  public let keys: [String]
  private let shapes: [String: [Int]]
  private let seed: UInt64

  /// Names the tensors.
  public init(_ shapes: [String: [Int]], seed: UInt64, name: String = "formula") {
    self.shapes = shapes
    self.seed = seed
    self.name = name
    keys = shapes.keys.sorted()
  }

  /// Takes the shapes that a fixture noted under `shapes`, for one of several networks.
  public init(of network: String, notedIn fixture: Fixture, seed: UInt64) throws {
    let noted = try JSONValue.parse(try fixture.note("shapes").utf8)[network]?.members ?? []
    self.init(
      Dictionary(
        uniqueKeysWithValues: noted.map {
          ($0.name, $0.value.elements?.compactMap(\.integer) ?? [])
        }),
      seed: seed)
  }

  /// Every tensor by its key, behind a prefix.
  public func tensors(behind prefix: String = "") throws -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: try keys.map { (prefix + $0, try tensor($0)) })
  }

  /// Type and shape of a key; nil where there is no such key.
  public func record(_ key: String) -> TensorRecord? {
    shapes[key].map { TensorRecord(type: .float32, shape: $0) }
  }

  /// The tensor of a key, zero where it has no effect on any output.
  public func tensor(_ key: String) throws -> Tensor {
    guard let shape = shapes[key] else {
      throw CheckpointError(
        .missingTensor, file: name, key: key, "the formula was not asked for it")
    }
    guard let kind = Formula.kind(key, rank: shape.count) else { return Tensor.zeros(shape) }
    return Formula.tensor(key, shape, kind, seed: seed)
  }
}
