import DatasetFormat
import Evaluation
import Imaging
import TensorCore
import TestSupport
import Testing

/// Scores of whole data sets against NumPy, and what must hold of any.
@Suite struct SegmentationTallyTests {
  private static func mask(_ fixture: Fixture, _ name: String) throws -> LabelMask {
    let shape = try fixture.shape(name)
    return try LabelMask(
      width: shape[1], height: shape[0], ids: fixture.integers(name).map { UInt16($0) })
  }

  private static func pairs(
    _ fixture: Fixture, _ name: String, count: Int
  ) throws -> [(truth: LabelMask, prediction: LabelMask)] {
    try (0..<count).map {
      (try mask(fixture, "\(name).truth.\($0)"), try mask(fixture, "\(name).prediction.\($0)"))
    }
  }

  private static func isNear(_ value: Double?, _ expected: Float) -> Bool {
    guard let value else { return expected == -1 }
    return abs(value - Double(expected)) < 1e-6
  }

  @Test(arguments: [("few", 6, 5), ("many", 300, 2)])
  func aTallyHasTheScoresOfTheReference(name: String, classes: Int, pictures: Int) throws {
    let fixture = try Fixture("metrics/segmentation.safetensors")
    var tally = SegmentationTally(classes: Array(0..<classes))
    for pair in try Self.pairs(fixture, name, count: pictures) {
      tally.add(truth: pair.truth, prediction: pair.prediction)
    }
    #expect(tally.pictures == pictures)
    let wanted = try fixture.tensor("\(name).scores").values
    for (row, absent) in [SegmentationScores.AbsentClasses.leftOut, .zero].enumerated() {
      let scores = SegmentationScores(tally, absent: absent)
      let found = [
        scores.meanIoU(), scores.pixelAccuracy, scores.meanAccuracy, scores.frequencyWeightedIoU,
        scores.boundaryIoU(), scores.combinedIoU(),
      ]
      for (place, value) in found.enumerated() {
        #expect(Self.isNear(value, wanted[6 * row + place]), "\(name), \(absent), score \(place)")
      }
    }
    let scores = SegmentationScores(tally)
    let ious = try fixture.tensor("\(name).iou").values
    let accuracies = try fixture.tensor("\(name).accuracy").values
    let edges = try fixture.tensor("\(name).boundary").values
    for id in 0..<classes {
      #expect(Self.isNear(scores.classes[id].intersectionOverUnion, ious[id]), "class \(id)")
      #expect(Self.isNear(scores.classes[id].accuracy, accuracies[id]), "class \(id)")
      #expect(Self.isNear(scores.bands[id].intersectionOverUnion, edges[id]), "class \(id)")
    }
    let seen = Set((0..<classes).filter { name == "few" ? $0 < 3 : $0 % 2 == 0 })
    let split = scores.split(seen: seen, unseen: Set(0..<classes).subtracting(seen))
    let sides = try fixture.tensor("\(name).split").values
    #expect(
      Self.isNear(split.seen, sides[0]) && Self.isNear(split.unseen, sides[1])
        && Self.isNear(split.harmonic, sides[2]))
  }

  @Test func episodesHaveTheScoresOfTheReference() throws {
    let fixture = try Fixture("metrics/segmentation.safetensors")
    var tally = FewShotTally(classes: [1, 2, 3])
    for (number, pair) in try Self.pairs(fixture, "episode", count: 4).enumerated() {
      let truth = try pair.truth.resizedAsTorch(side: FewShotBenchmark.side)
      let prediction = try pair.prediction.resizedAsTorch(side: FewShotBenchmark.side)
      let sums = try fixture.integers("episode.sum.\(number)")
      #expect(truth.ids.count { $0 == 1 } == sums[0])
      #expect(prediction.ids.count { $0 == 1 } == sums[1])
      let id = try fixture.integers("episode.class.\(number)")[0] + 1
      tally.add(truth: truth, prediction: prediction, of: id)
    }
    let ious = try fixture.tensor("episode.iou").values
    #expect(Self.isNear(tally.intersectionOverUnion(1), ious[0]))
    #expect(Self.isNear(tally.intersectionOverUnion(2), ious[1]))
    #expect(tally.intersectionOverUnion(3) == nil)
    let wanted = try fixture.tensor("episode.scores").values
    #expect(Self.isNear(tally.meanIoU(), wanted[0]))
    #expect(Self.isNear(tally.meanIoU(absent: .leftOut), (ious[0] + ious[1]) / 2))
    #expect(Self.isNear(tally.foregroundBackgroundIoU, wanted[1]))
  }

  @Test func choicesAreThoseOfNumPy() throws {
    let wanted = try Fixture("metrics/segmentation.safetensors").integers("draw")
    var draw = MersenneTwister(seed: 0)
    let found = (0..<8).flatMap { _ in [20, 727, 1, 19217].map { draw.choice(of: $0) } }
    #expect(found == wanted)
  }

  @Test func neitherOrderNorPartsChangeATally() throws {
    var draw = SeededGenerator(seed: 5)
    let pairs = try (0..<6).map { _ in
      let (width, height) = (1 + Int(draw.next() % 20), 1 + Int(draw.next() % 20))
      func mask(_ ids: [UInt16]) throws -> LabelMask {
        try LabelMask(
          width: width, height: height, ids: (0..<width * height).map { _ in draw.choose(ids) })
      }
      return (
        try mask([0, 1, 2, 9, LabelMask.ignored]), try mask([0, 1, 2, 7, LabelMask.ignored])
      )
    }
    func tally(_ pairs: some Sequence<(LabelMask, LabelMask)>) -> SegmentationTally {
      var tally = SegmentationTally(classes: [0, 1, 2], boundaryShare: 0.1)
      for (truth, prediction) in pairs { tally.add(truth: truth, prediction: prediction) }
      return tally
    }
    let whole = tally(pairs)
    #expect(whole == tally(pairs.reversed()))
    var parts = tally(pairs.prefix(2))
    parts.add(tally(pairs.dropFirst(2)))
    #expect(parts == whole)
    // A band is part of its region, on both sides.
    for (region, band) in zip(whole.matrix.overlaps, whole.bands) {
      #expect(band.matched <= region.matched && band.truth <= region.truth)
    }
  }

  @Test func whatIsIgnoredEverywhereScoresNothing() throws {
    var tally = SegmentationTally(classes: [0, 1])
    tally.add(
      truth: try LabelMask(width: 1, height: 1, repeating: LabelMask.ignored),
      prediction: try LabelMask(width: 1, height: 1, repeating: 1))
    let scores = SegmentationScores(tally)
    #expect(scores.meanIoU() == nil && scores.pixelAccuracy == nil && scores.boundaryIoU() == nil)
    #expect(SegmentationScores(tally, absent: .zero).meanIoU() == 0)
    tally.add(
      truth: try LabelMask(width: 1, height: 1, repeating: 1),
      prediction: try LabelMask(width: 1, height: 1, repeating: 1))
    let perfect = SegmentationScores(tally)
    #expect(perfect.meanIoU() == 1 && perfect.boundaryIoU() == 1 && perfect.combinedIoU() == 1)
    // A class that is only predicted is wrong where it is, and no class of the mean.
    tally.add(
      truth: try LabelMask(width: 3, height: 1, repeating: 1),
      prediction: try LabelMask(width: 3, height: 1, repeating: 0))
    #expect(SegmentationScores(tally).meanIoU() == 0.25)
    #expect(SegmentationScores(tally, absent: .zero).meanIoU() == 0.125)
  }
}
