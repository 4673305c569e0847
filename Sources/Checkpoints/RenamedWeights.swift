public import TensorCore

/// Tensors of a file under the names that the layers ask for.
public struct RenamedWeights: WeightSource {
  /// How a stored tensor becomes the layer's.
  public enum Change: Sendable, Equatable {
    /// Not at all.
    case none
    /// Trailing axes of length one are left out: a 1×1 convolution as the matrix it is.
    case matrix
    /// One of three equal parts of the first axis: queries, keys and values stored as one.
    case third(Int)
  }

  /// Where a layer's tensor is stored.
  public struct Place: Sendable {
    /// The file's key.
    public var key: String
    /// What is done to the stored tensor.
    public var change: Change

    /// Names a stored tensor.
    public init(key: String, change: Change = .none) {
      self.key = key
      self.change = change
    }
  }

  /// The file and the part of it, for messages.
  public let name: String
  /// The names that the layers ask for, sorted.
  public let keys: [String]
  private let source: any WeightSource
  private let places: [String: Place]

  /// Takes some of a file's tensors.
  ///
  /// - Parameters:
  ///   - source: the file.
  ///   - part: what they are, for messages.
  ///   - places: where a layer's tensor is stored, by the layer's name for it; the file need not have it.
  public init(_ source: any WeightSource, part: String, places: [String: Place]) {
    self.source = source
    self.places = places
    name = "\(source.name) (\(part))"
    keys = places.keys.sorted()
  }

  /// The file's key of a layer's key, for messages.
  public func storedKey(_ key: String) -> String { places[key]?.key ?? key }

  /// Type and shape as the layer sees the tensor; nil where the file has none.
  public func record(_ key: String) -> TensorRecord? {
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

  /// The tensor, changed as its place says.
  ///
  /// - Throws: ``CheckpointError`` naming the key where it is absent, not a float type, or holds NaN or infinity.
  public func tensor(_ key: String) throws -> Tensor {
    guard let place = places[key], let shape = record(key)?.shape else {
      throw CheckpointError.missing(key, in: name)
    }
    let stored = try source.tensor(place.key)
    guard case .third(let index) = place.change, shape != stored.shape else {
      return stored.reshaped(shape)
    }
    return stored.rows(index * shape[0]..<(index + 1) * shape[0])
  }
}
