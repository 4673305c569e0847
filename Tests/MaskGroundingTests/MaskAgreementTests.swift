import Imaging
import MaskGrounding
import TensorCore
import TestSupport
import Testing

@Suite struct MaskAgreementTests {
  private func mask(_ ids: [UInt16]) throws -> LabelMask {
    try LabelMask(width: ids.count, height: 1, ids: ids)
  }

  @Test func classesAreComparedPixelByPixel() throws {
    let found = MaskAgreement.intersectionOverUnion(
      try mask([0, 1, 1, 2, 2, 0]), try mask([0, 1, 2, 2, 2, 3]))
    #expect(found == [1: 0.5, 2: 2.0 / 3, 3: 0])
  }

  @Test func ignoredPixelsDoNotCount() throws {
    let ignored = LabelMask.ignored
    let found = MaskAgreement.intersectionOverUnion(
      try mask([1, 1, ignored, 4, 0]), try mask([1, ignored, 2, ignored, 0]))
    #expect(found == [1: 1])
  }

  @Test func aMaskAgreesWithItself() throws {
    var random = SeededGenerator(seed: 3)
    let ids = (0..<400).map { _ in random.choose([0, 1, 2, 9, LabelMask.ignored]) }
    let mask = try LabelMask(width: 20, height: 20, ids: ids)
    #expect(MaskAgreement.intersectionOverUnion(mask, mask) == [1: 1, 2: 1, 9: 1])
  }

  @Test func mirroringTwiceChangesNothing() {
    var random = SeededGenerator(seed: 4)
    let maps = EntityMaps(probabilities: random.tensor([2, 3, 5]), presence: [0.25, 0.5])
    let mirrored = maps.flippedHorizontally
    #expect(mirrored.probabilities.values[0] == maps.probabilities.values[4])
    #expect(mirrored.probabilities.values != maps.probabilities.values)
    #expect(mirrored.flippedHorizontally.probabilities.values == maps.probabilities.values)
    #expect(mirrored.presence == maps.presence)
  }
}
