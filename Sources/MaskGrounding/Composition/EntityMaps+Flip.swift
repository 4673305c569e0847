import TensorCore

extension EntityMaps {
  /// The maps of the mirrored picture, left and right exchanged.
  public var flippedHorizontally: EntityMaps {
    let (n, h, w) = probabilities.dimensions3("maps")
    let flipped = probabilities.withUnsafeBuffer { from in
      Tensor(shape: [n, h, w]) { to in
        for row in 0..<n * h {
          for x in 0..<w { to[row * w + x] = from[row * w + w - 1 - x] }
        }
      }
    }
    return EntityMaps(probabilities: flipped, presence: presence)
  }
}
