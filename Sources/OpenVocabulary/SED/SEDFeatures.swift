public import TensorCore

/// What SED's trunk sees in pictures.
public struct SEDFeatures: Sendable {
  /// The outputs of the trunk's stages [N, H/4, W/4, C], …, [N, H/32, W/32, 8 C]; the last is not needed.
  public let maps: [Tensor]
  /// The projected features [N, H/32, W/32, D], not normalised.
  public let dense: Tensor

  /// Takes maps of strides 4, 8 and 16, and of 32 where there is one, and features of stride 32.
  ///
  /// - Precondition: the sides are 8, 4, 2 and 1 times those of `dense`.
  public init(maps: [Tensor], dense: Tensor) {
    let (n, h, w, _) = dense.dimensions4("SED features")
    precondition(
      3...4 ~= maps.count
        && maps.enumerated().allSatisfy {
          $1.rank == 4 && $1.shape.prefix(3) == [n, h << (3 - $0), w << (3 - $0)]
        },
      "SED features: maps \(maps.map(\.shape)) beside \(dense.shape)")
    (self.maps, self.dense) = (maps, dense)
  }

  /// Those of one picture.
  func sample(_ index: Int) -> SEDFeatures {
    SEDFeatures(
      maps: maps.map { $0.rows(index..<index + 1) }, dense: dense.rows(index..<index + 1))
  }
}
