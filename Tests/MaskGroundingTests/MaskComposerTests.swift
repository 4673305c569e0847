import Imaging
import MaskGrounding
import TensorCore
import TestSupport
import Testing

@Suite struct MaskComposerTests {
  private func entities(_ ids: [Int]) -> [Entity] {
    ids.map { Entity(name: "e\($0)", classID: $0, words: "e\($0)") }
  }

  /// Smooth random maps with values on both sides of every threshold, some of them equal.
  private func maps(_ count: Int, _ width: Int, _ height: Int, seed: UInt64) -> [[Float]] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      let centre = (x: random.value() * Float(width), y: random.value() * Float(height))
      let reach = Float(max(width, height)) * (0.3 + abs(random.value()))
      return (0..<width * height).map { place in
        let (dx, dy) = (Float(place % width) - abs(centre.x), Float(place / width) - abs(centre.y))
        let value = 1.1 - (dx * dx + dy * dy).squareRoot() / reach + 0.3 * random.value()
        return (min(max(value, 0), 1) * 20).rounded() / 20
      }
    }
  }

  private static let cases: [(threshold: Float, band: Float?)] = [
    (0.5, nil), (0.5, 0.1), (0.3, 0.25), (0.8, nil), (0.95, 0.5),
  ]

  @Test(arguments: cases)
  func masksAndScoresAreThoseOfThePlainReference(threshold: Float, band: Float?) throws {
    var random = SeededGenerator(seed: 5)
    var present = 0
    for round in 0..<40 {
      let (width, height) = (random.choose([1, 2, 5, 17, 33]), random.choose([1, 3, 8, 21]))
      let ids = random.choose([[3], [1, 2], [7, 2, 9, 4], [5, 5], [6, 2, 6, 1, 2]])
      let values = maps(ids.count, width, height, seed: UInt64(100 + round))
      let presence = ids.map { _ in (abs(random.value()) * 4).rounded() / 4 }
      let settings = MaskComposer.Settings(
        threshold: threshold, presenceThreshold: 0.25, ignoreBand: band)
      let entities = entities(ids)
      let found = try MaskComposer(settings).compose(
        EntityMaps(
          probabilities: Tensor(values.flatMap { $0 }, shape: [ids.count, height, width]),
          presence: presence), entities: entities, width: width, height: height)
      let plain = PlainComposer(settings: settings, width: width, height: height)
        .compose(values, presence, entities)
      #expect(found.mask.ids == plain.ids, "round \(round)")
      for (a, b) in zip(found.scores, plain.scores) {
        #expect(near(a, b), "round \(round): \(a), expected \(b)")
        present += a.isPresent ? 1 : 0
      }
      #expect(found.scores.count == ids.count)
      #expect(found.probabilities.shape == [ids.count, height, width])
    }
    #expect(present > 10)
  }

  private func near(_ a: EntityScore, _ b: EntityScore) -> Bool {
    let pairs = [
      (a.presence, b.presence), (a.area, b.area), (a.confidence, b.confidence),
      (a.edgeConfidence, b.edgeConfidence), (a.entropy, b.entropy),
    ]
    return a.isPresent == b.isPresent && a.partCount == b.partCount
      && a.touchesBorder == b.touchesBorder && pairs.allSatisfy { abs($0 - $1) < 1e-6 }
  }

  @Test func mapsAreEnlargedAsInTheReference() throws {
    let fixture = try Fixture("masks/resizing.safetensors")
    for number in 0..<6 {
      let size = try fixture.integers("\(number).size")
      // Into the range of probabilities, and back.
      let input = try fixture.tensor("\(number).in").mapped { 0.5 + 0.1 * $0 }
      let found = try MaskComposer().compose(
        EntityMaps(probabilities: input.reshaped([1] + input.shape), presence: [1]),
        entities: entities([1]), width: size[1], height: size[0])
      let expected = try fixture.tensor("\(number).bilinear").mapped { 0.5 + 0.1 * $0 }
      let difference = Difference(found.probabilities.reshaped(size), expected)
      #expect(difference.keeps(within: .layer, "bilinear \(input.shape) to \(size)"))
    }
  }

  @Test func whatIsNotThereHasAnEmptyMask() throws {
    let maps = EntityMaps(
      probabilities: Tensor([0.9, 0.9, 0.6, 0.6, 0.4, 0.4], shape: [3, 1, 2]),
      presence: [0.2, 0.9, 0.9])
    let found = try MaskComposer().compose(
      maps, entities: entities([1, 2, 3]), width: 2, height: 1)
    #expect(found.mask.ids == [2, 2])
    #expect(found.scores[0] == .absent(presence: 0.2))
    #expect(found.scores[2] == .absent(presence: 0.9))
    #expect(found.scores[1].isPresent && found.scores[1].area == 1)
    #expect(found.scores[1].edgeConfidence == 0 && found.scores[1].partCount == 1)
  }

  @Test func equalProbabilitiesGoToTheEarlier() throws {
    let maps = EntityMaps(
      probabilities: Tensor([0.7, 0.7, 0.7, 0.8], shape: [2, 1, 2]), presence: [1, 1])
    let found = try MaskComposer().compose(maps, entities: entities([8, 4]), width: 2, height: 1)
    #expect(found.mask.ids == [8, 4])
  }

  @Test func nothingIsEverNotANumber() throws {
    let broken: [Float] = [.nan, .infinity, -.infinity, -3, 0.5, 7, .nan, 0]
    let maps = EntityMaps(
      probabilities: Tensor(broken, shape: [2, 2, 2]), presence: [.nan, .infinity])
    for band: Float? in [nil, 0.1] {
      let found = try MaskComposer(.init(presenceThreshold: 0, ignoreBand: band)).compose(
        maps, entities: entities([1, 2]), width: 9, height: 7)
      #expect(found.probabilities.values.allSatisfy { (0...1).contains($0) })
      for score in found.scores {
        for value in [
          score.presence, score.area, score.confidence, score.edgeConfidence, score.entropy,
        ] { #expect((0...1).contains(value), "\(score)") }
      }
    }
  }

  @Test func aBandMakesAThinUncertainEdgeIgnored() throws {
    // A slope from 0 to 1: only what is near the edge and near one half is ignored.
    let row = (0..<41).map { Float($0) / 40 }
    let maps = EntityMaps(probabilities: Tensor(row, shape: [1, 1, 41]), presence: [1])
    let found = try MaskComposer(.init(ignoreBand: 0.1)).compose(
      maps, entities: entities([3]), width: 41, height: 1)
    let ignored = found.mask.ids.indices.filter { found.mask.ids[$0] == LabelMask.ignored }
    #expect(ignored == [18, 19, 20, 21])
    #expect(found.mask.ids.last == 3 && found.mask.ids.first == LabelMask.background)
    #expect(found.scores[0].area == Float(19) / 41)
  }

  @Test func aBandStaysThinWhereTwoEntitiesAreNearlyEqual() throws {
    // Two maps 0.04 apart, one ahead on the left and one on the right: only the line between them is ignored.
    let left = (0..<40).map { $0 < 20 ? Float(0.9) : 0.86 }
    let maps = EntityMaps(
      probabilities: Tensor(left + left.reversed(), shape: [2, 1, 40]), presence: [1, 1])
    let found = try MaskComposer(.init(ignoreBand: 0.1)).compose(
      maps, entities: entities([3, 5]), width: 40, height: 1)
    let ignored = found.mask.ids.indices.filter { found.mask.ids[$0] == LabelMask.ignored }
    #expect(ignored == [18, 19, 20, 21])
    #expect(found.scores.allSatisfy { $0.isPresent && $0.area == Float(18) / 40 })
  }

  @Test func manyEntitiesAreComposed() throws {
    let ids = Array(1...200)
    var random = SeededGenerator(seed: 77)
    let maps = EntityMaps(
      probabilities: random.tensor([200, 8, 8], scale: 0.5, mean: 0.5), presence: ids.map { _ in 1 }
    )
    let found = try MaskComposer(.init(threshold: 0.1)).compose(
      maps, entities: entities(ids), width: 24, height: 16)
    #expect(found.scores.count == 200 && found.scores.contains { $0.isPresent })
    let area = found.scores.reduce(0) { $0 + $1.area }
    #expect(abs(area - 1) < 1e-5)
  }

  @Test func sizesOutOfRangeAreRefused() {
    let maps = EntityMaps(probabilities: Tensor.zeros([1, 2, 2]), presence: [1])
    for (width, height) in [(0, 4), (4, -1), (PixelImage.sideLimit + 1, 1)] {
      #expect(throws: ImagingError.self) {
        try MaskComposer().compose(maps, entities: entities([1]), width: width, height: height)
      }
    }
  }
}
