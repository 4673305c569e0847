import Checkpoints
import TensorCore

/// Tensors of a file under the names that the layers ask for.
struct RenamedWeights: WeightSource {
  /// How a stored tensor becomes the layer's.
  enum Change: Equatable {
    /// Not at all.
    case none
    /// Trailing axes of length one are left out: a 1×1 convolution as the matrix it is.
    case matrix
    /// One of three equal parts of the first axis: queries, keys and values stored as one.
    case third(Int)
  }

  /// Where a layer's tensor is stored.
  struct Place {
    /// The file's key.
    var key: String
    var change = Change.none
  }

  let name: String
  let keys: [String]
  private let source: any WeightSource
  private let places: [String: Place]

  init(_ source: any WeightSource, part: String, places: [String: Place]) {
    self.source = source
    self.places = places
    name = "\(source.name) (\(part))"
    keys = places.keys.sorted()
  }

  /// The file's key of a layer's key, for messages.
  func storedKey(_ key: String) -> String { places[key]?.key ?? key }

  func record(_ key: String) -> TensorRecord? {
    guard let place = places[key], var record = source.record(place.key) else { return nil }
    switch place.change {
    case .none: break
    case .matrix:
      while record.shape.count > 2, record.shape.last == 1 { record.shape.removeLast() }
    case .third:
      // A length that does not divide is left as it is, so that the layer refuses it by its shape.
      if let first = record.shape.first, first % 3 == 0 { record.shape[0] = first / 3 }
    }
    return record
  }

  func tensor(_ key: String) throws -> Tensor {
    guard let place = places[key], let shape = record(key)?.shape else {
      throw CheckpointError(.missingTensor, file: name, key: key, "the tensor is missing")
    }
    let stored = try source.tensor(place.key)
    guard case .third(let index) = place.change, shape != stored.shape else {
      return stored.reshaped(shape)
    }
    return stored.rows(index * shape[0]..<(index + 1) * shape[0])
  }
}
