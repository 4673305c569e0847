import TensorCore

/// Whether the autoencoder works through large pictures piece by piece, which takes less memory.
///
/// The pieces are bands as wide as the picture. Group norms take their moments over all bands and convolutions see
/// the rows beyond a band's edges, so that the bytes are those of the whole picture at once: there are no seams.
public struct AutoencoderTiling: Sendable, Equatable {
  /// Pictures of more than 32 × 32 latent cells (256 × 256 pixels of Stable Diffusion) are cut.
  public static let auto = AutoencoderTiling(bandCells: 1024)
  /// Every picture in one piece.
  public static let off = AutoencoderTiling(bandCells: nil)

  /// Unused memory that may stay between two layers of a map in bands: a layer's bands are of other sizes than the
  /// next one's.
  public static let keptBytes = 128 << 20

  /// The most latent cells of a band, which has at least the rows that a convolution computes together; nil for no bands.
  public let bandCells: Int?

  /// Describes bands.
  ///
  /// - Precondition: they have cells.
  public init(bandCells: Int?) {
    precondition(bandCells ?? 1 > 0, "bands of \(bandCells ?? 0) cells")
    self.bandCells = bandCells
  }

  /// Rows of every band but the last, in latent cells.
  public func bandHeight(height: Int, width: Int) -> Int {
    guard let bandCells else { return max(1, height) }
    let together = convolutionRowsTogether
    return min(max(1, height), max(1, bandCells / max(1, width) / together) * together)
  }
}
