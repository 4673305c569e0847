import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// Decoding and encoding in bands against the whole picture at once.
@Suite struct AutoencoderTilingTests {
  /// Latents smaller than a band, of whole bands, of more, and of extreme proportions.
  private static let sizes = [(1, 1), (8, 8), (13, 7), (24, 5), (2, 61), (61, 2), (1, 40)]

  private func bytes(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }

  @Test(arguments: KernelLevel.available)
  func bandsGiveTheBytesOfTheWholePicture(level: KernelLevel) throws {
    try level.scoped {
      var (whole, banded) = (try TinyModel.sd1.autoencoder(), try TinyModel.sd1.autoencoder())
      whole.tiling = .off
      let channels = whole.configuration.latentChannels
      for (number, (height, width)) in Self.sizes.enumerated() {
        let streams = RandomStreams(seed: UInt64(number))
        let latents = streams.normals(stream: 0, shape: [2, height, width, channels])
        let decoded = bytes(whole.decode(latents))
        #expect(Set(decoded).count > 100)
        for cells in [1, 9, 64] {
          banded.tiling = AutoencoderTiling(bandCells: cells)
          #expect(
            bytes(banded.decode(latents)) == decoded, "\(height) x \(width) in bands of \(cells)")
        }
      }
    }
  }

  @Test(arguments: KernelLevel.available)
  func encodingInBandsGivesTheSameBytesAtAnySize(level: KernelLevel) throws {
    try level.scoped {
      var (whole, banded) = (try TinyModel.sd1.autoencoder(), try TinyModel.sd1.autoencoder())
      whole.tiling = .off
      let unit = whole.configuration.pixelsPerCell
      for (number, (height, width)) in Self.sizes.enumerated() {
        // Sides that halving does not divide leave rows over.
        let shape = [2, height * unit + number % unit, width * unit + (2 * number) % unit, 3]
        let image = RandomStreams(seed: UInt64(number)).normals(stream: 1, shape: shape)
        let expected = whole.encode(image)
        for cells in [1, 9, 64] {
          banded.tiling = AutoencoderTiling(bandCells: cells)
          let found = banded.encode(image)
          #expect(bytes(found.mean) == bytes(expected.mean), "\(shape) in bands of \(cells)")
          #expect(bytes(found.logVariance) == bytes(expected.logVariance))
        }
      }
    }
  }

  @Test func bandsHaveWholeTilesOfRowsAndNoMoreRowsThanThereAre() {
    #expect(AutoencoderTiling.auto.bandHeight(height: 128, width: 128) == 8)
    #expect(AutoencoderTiling.auto.bandHeight(height: 32, width: 32) == 32)
    #expect(AutoencoderTiling.auto.bandHeight(height: 64, width: 96) == 8)
    #expect(AutoencoderTiling.auto.bandHeight(height: 30, width: 4000) == 4)
    #expect(AutoencoderTiling.auto.bandHeight(height: 3, width: 4000) == 3)
    #expect(AutoencoderTiling.auto.bandHeight(height: 500, width: 1) == 500)
    #expect(AutoencoderTiling.off.bandHeight(height: 512, width: 512) == 512)
  }
}
