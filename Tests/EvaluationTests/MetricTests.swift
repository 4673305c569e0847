import Evaluation
import Imaging
import TensorCore
import TestSupport
import Testing

/// Scores against NumPy and against plain counting.
@Suite struct MetricTests {
  private struct Case {
    var truth: LabelMask
    var prediction: LabelMask
    var named: [Int]
    var distance: Int
    var band: [Bool]
  }

  private static func cases() throws -> (Fixture, [Case]) {
    let fixture = try Fixture("metrics/scores.safetensors")
    let cases = try (0..<3).map { number in
      func mask(_ name: String) throws -> LabelMask {
        let shape = try fixture.shape("\(name).\(number)")
        return try LabelMask(
          width: shape[1], height: shape[0],
          ids: fixture.integers("\(name).\(number)").map {
            $0 == 255 ? LabelMask.ignored : UInt16($0)
          })
      }
      return Case(
        truth: try mask("truth"), prediction: try mask("prediction"),
        named: try fixture.integers("named.\(number)"),
        distance: try fixture.integers("distance.\(number)")[0],
        band: try fixture.integers("band.\(number)").map { $0 == 1 })
    }
    return (fixture, cases)
  }

  @Test func aConfusionMatrixHasTheScoresOfTheReference() throws {
    let (fixture, cases) = try Self.cases()
    var matrix = ConfusionMatrix(classes: Array(0..<6))
    for one in cases { matrix.add(truth: one.truth, prediction: one.prediction) }
    let expected = try fixture.integers("confusion")
    for truth in 0..<6 {
      for prediction in 0..<6 {
        #expect(
          matrix.count(truth: truth, prediction: prediction) == expected[truth * 6 + prediction])
      }
    }
    let scores = SegmentationScores(matrix)
    let ious = try fixture.tensor("iou").values
    let accuracies = try fixture.tensor("accuracy").values
    for (one, (iou, accuracy)) in zip(scores.classes, zip(ious, accuracies)) {
      #expect(Self.isNear(one.intersectionOverUnion, iou))
      #expect(Self.isNear(one.accuracy, accuracy))
    }
    let wanted = try fixture.tensor("scores").values
    #expect(Self.isNear(scores.meanIoU(), wanted[0]))
    #expect(Self.isNear(SegmentationScores(matrix, absent: .zero).meanIoU(), wanted[1]))
    #expect(Self.isNear(scores.pixelAccuracy, wanted[2]))
    #expect(Self.isNear(scores.meanAccuracy, wanted[3]))
    #expect(Self.isNear(scores.frequencyWeightedIoU, wanted[4]))
    // A class without truth is what the two means disagree about.
    #expect(scores.meanIoU() != SegmentationScores(matrix, absent: .zero).meanIoU())
  }

  @Test func onlyNamedClassesAreSummedOverThePicturesThatNameThem() throws {
    let (fixture, cases) = try Self.cases()
    var tally = RegionTally()
    for one in cases {
      tally.add(truth: one.truth, prediction: one.prediction, classes: one.named)
    }
    let ious = try fixture.tensor("named.iou").values
    let edges = try fixture.tensor("named.boundary").values
    for id in 1..<6 {
      #expect(Self.isNear(tally.intersectionOverUnion(id), ious[id]), "class \(id)")
      #expect(Self.isNear(tally.boundaryIoU(id), edges[id]), "class \(id)")
      #expect(tally.entries[id]?.pictures ?? 0 == cases.count { $0.named.contains(id) })
    }
    #expect(ious.contains(-1) == (Set(cases.flatMap(\.named)).count < 5) || ious[0] == -1)
    var parts = RegionTally()
    for one in cases.reversed() {
      var alone = RegionTally()
      alone.add(truth: one.truth, prediction: one.prediction, classes: one.named.reversed())
      parts.add(alone)
    }
    #expect(parts == tally)
  }

  @Test func aBandIsARegionWithoutItsErosion() throws {
    let (_, cases) = try Self.cases()
    for one in cases {
      let bands = BoundaryBand(width: one.truth.width, height: one.truth.height)
      #expect(bands.distance == one.distance)
      let region = one.truth.ids.map { $0 == one.named[0] }
      #expect(zip(region, bands(region)).map { $0 && $1 } == one.band)
      // Of all labels at once, each is as alone.
      #expect(zip(region, bands(one.truth.ids)).map { $0 && $1 } == one.band)
    }
  }

  /// Every pixel of the region that has something else within the distance, seen along rows and columns.
  @Test func bandsAreThoseOfPlainSearching() throws {
    var draw = SeededGenerator(seed: 3)
    for (width, height, share) in [(1, 1, 0.02), (9, 7, 0.1), (24, 17, 0.08), (5, 40, 0.02)] {
      let region = (0..<width * height).map { _ in Int.random(in: 0..<10, using: &draw) > 0 }
      let bands = BoundaryBand(width: width, height: height, share: share)
      // What is outside the region has a band of its own.
      let found = zip(region, bands(region)).map { $0 && $1 }
      for y in 0..<height {
        for x in 0..<width {
          var isInner = true
          for v in y - bands.distance...y + bands.distance {
            for u in x - bands.distance...x + bands.distance {
              let isInside = (0..<width).contains(u) && (0..<height).contains(v)
              if !isInside || !region[v * width + u] { isInner = false }
            }
          }
          #expect(found[y * width + x] == (region[y * width + x] && !isInner))
        }
      }
    }
  }

  @Test func perfectMasksScoreOneAndClassesMayBeRenamed() throws {
    let (_, cases) = try Self.cases()
    var perfect = ConfusionMatrix(classes: Array(0..<6))
    var straight = ConfusionMatrix(classes: Array(0..<6))
    var renamed = ConfusionMatrix(classes: [0, 11, 12, 13, 14, 15])
    let names: [UInt16] = [0, 14, 12, 11, 15, 13]
    func rename(_ mask: LabelMask) -> LabelMask {
      var other = mask
      other.relabel {
        mask.ids[$0] == LabelMask.ignored ? LabelMask.ignored : names[Int(mask.ids[$0])]
      }
      return other
    }
    for one in cases {
      perfect.add(truth: one.truth, prediction: one.truth)
      straight.add(truth: one.truth, prediction: one.prediction)
      renamed.add(truth: rename(one.truth), prediction: rename(one.prediction))
    }
    let scores = SegmentationScores(perfect)
    #expect(scores.meanIoU() == 1 && scores.pixelAccuracy == 1 && scores.meanAccuracy == 1)
    #expect(Self.isNear(scores.frequencyWeightedIoU, 1))
    let (a, b) = (SegmentationScores(straight), SegmentationScores(renamed))
    #expect(Self.isNear(b.meanIoU(), Float(a.meanIoU() ?? -1)))
    for (id, name) in names.enumerated() {
      #expect(
        a.classes.first { $0.id == id }?.matched == b.classes.first { $0.id == Int(name) }?.matched)
    }
  }

  @Test func whatIsNoClassIsWrongWhereFoundAndLeftOutWhereTrue() throws {
    var matrix = ConfusionMatrix(classes: [0, 1])
    let truth = try LabelMask(width: 4, height: 1, ids: [1, 1, 7, LabelMask.ignored])
    let found = try LabelMask(width: 4, height: 1, ids: [1, LabelMask.ignored, 1, 1])
    matrix.add(truth: truth, prediction: found)
    let one = try #require(SegmentationScores(matrix).classes.last)
    #expect(one.truth == 2 && one.matched == 1 && one.predicted == 1)
    #expect(one.intersectionOverUnion == 0.5)
    var twice = matrix
    twice.add(matrix)
    #expect(SegmentationScores(twice).meanIoU() == SegmentationScores(matrix).meanIoU())
    #expect(twice.count(truth: 1, prediction: 1) == 2)
  }

  @Test func theHarmonicMeanIsThatOfBothSides() {
    #expect(
      SplitScore(seen: 0.8, unseen: 0.4).harmonic.map { abs($0 - 0.64 / 1.2) < 1e-12 } == true)
    #expect(SplitScore(seen: 0, unseen: 0).harmonic == 0)
    #expect(SplitScore(seen: 0.8, unseen: nil).harmonic == nil)
    let matrix = ConfusionMatrix(classes: [0, 1])
    #expect(SegmentationScores(matrix).split(seen: [1], unseen: []).seen == nil)
    #expect(SegmentationScores(matrix).pixelAccuracy == nil)
  }

  @Test func presenceIsTheMeanOverTheGroupsThatWereAskedFor() {
    var tally = PresenceTally()
    #expect(tally.accuracy == nil)
    for said in [true, true, true, false] { tally.add(.present, saidPresent: said) }
    #expect(tally.accuracy == 0.75)
    tally.add(.namedAbsent, saidPresent: true)
    tally.add(.namedAbsent, saidPresent: false)
    #expect(tally.accuracy(.namedAbsent) == 0.5 && tally.accuracy == 0.625)
    var other = PresenceTally()
    other.add(.unnamedAbsent, saidPresent: false)
    tally.add(other)
    #expect(tally.accuracy == 0.75 && tally.count(.unnamedAbsent) == 1)
  }

  /// Where the reference has −1 there is nothing.
  private static func isNear(_ value: Double?, _ expected: Float) -> Bool {
    guard let value else { return expected == -1 }
    return abs(value - Double(expected)) < 1e-6
  }
}
