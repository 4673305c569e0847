import CanonicalJSON
import DatasetFormat
import Gallery
import Imaging
import TestSupport
import Testing

@Suite struct RunStatisticsTests {
  /// The share of a cell that is covered, by the definition: the pixels of the cell one after the other.
  private func coverage(_ mask: LabelMask, row: Int, column: Int) -> Double {
    func span(_ cell: Int, _ count: Int) -> [Int] {
      let inside = (0..<count).filter { $0 >= cell * count / 32 && $0 < (cell + 1) * count / 32 }
      return inside.isEmpty ? [cell * count / 32] : inside
    }
    var (covered, all) = (0, 0)
    for y in span(row, mask.height) {
      for x in span(column, mask.width) {
        all += 1
        if mask[x, y] != LabelMask.background && mask[x, y] != LabelMask.ignored { covered += 1 }
      }
    }
    return Double(covered) / Double(all)
  }

  private func counted(_ folder: TemporaryFolder) throws -> (RunContents, RunStatistics) {
    let run = try RunContents.open(path: folder["run"])
    return (run, try RunStatistics.counted(run) { _ in })
  }

  @Test func countsAreThoseOfANaiveCount() throws {
    let drawn = SyntheticRun(count: 40, shardSize: 9)
    let folder = try TemporaryFolder.withRun(drawn)
    let (_, statistics) = try counted(folder)
    let samples = try (0..<40).map { try drawn.sample($0) }
    #expect(statistics.tally.samples == 40 && statistics.planned == 40)
    #expect(statistics.tally.accepted == samples.count { $0.0.isAccepted })
    #expect(statistics.tally.rejectedByReason == ["area": 4])
    #expect(statistics.masks == 40 && statistics.missingShards.isEmpty)
    let masks = samples.compactMap(\.2)
    for (entry, counts) in statistics.perClass {
      let holding = samples.filter { $0.0.entities.contains { $0.name == entry.name } }
      #expect(counts.images == holding.count, "\(entry.name)")
      #expect(counts.accepted == holding.count { $0.0.isAccepted })
      #expect(counts.pixels == masks.reduce(0) { $0 + $1.ids.count { Int($0) == entry.id } })
    }
    #expect(statistics.backgroundPixels == masks.reduce(0) { $0 + $1.ids.count { $0 == 0 } })
    #expect(statistics.ignoredPixels == masks.reduce(0) { $0 + $1.ids.count { $0 == 65535 } })
    #expect(statistics.allPixels == masks.reduce(0) { $0 + $1.ids.count })
    for (place, bin) in statistics.areas.bins.enumerated() {
      let inside = samples.flatMap { sample in
        sample.0.entities.filter { entity in
          let top = place == 19 ? 1.1 : Double(place + 1) / 20
          return entity.area > 0 && entity.area >= Double(place) / 20 && entity.area < top
        }.map { _ in sample.0.isAccepted }
      }
      #expect(bin.accepted == inside.count { $0 } && bin.rejected == inside.count { !$0 })
    }
    #expect(statistics.confidences.bins[16].accepted > 20)
  }

  @Test func theMapIsTheMeanOfWhatMasksCover() throws {
    let drawn = SyntheticRun(count: 12, shardSize: 12)
    let folder = try TemporaryFolder.withRun(drawn)
    let shares = try counted(folder).1.places.shares
    let masks = try (0..<12).compactMap { try drawn.sample($0).2 }
    #expect(Set(masks.map(\.width)).count > 2, "wide, narrow and single columns")
    for row in 0..<32 {
      for column in 0..<32 {
        let wanted =
          masks.map { coverage($0, row: row, column: column) }.reduce(0, +) / Double(masks.count)
        #expect(abs(shares[row * 32 + column] - wanted) < 1e-12, "\(row), \(column)")
      }
    }
    #expect(shares.contains { $0 > 0.1 })
  }

  @Test func binsHoldTheirLowerEnd() {
    var histogram = Histogram()
    for value in [0, 0.049_999, 0.05, 0.999, 1] { histogram.add(value, isAccepted: value != 1) }
    #expect(histogram.bins.map(\.accepted) == [2, 1] + Array(repeating: 0, count: 17) + [1])
    #expect(histogram.bins.map(\.rejected) == Array(repeating: 0, count: 19) + [1])
  }

  @Test func decisionsAreThoseOfTheLastFilter() throws {
    let folder = try TemporaryFolder.withRun()
    var rules = FilterRules()
    rules.entities.minArea = 0.3
    let tally = try RunFilter.apply(rules, toRunAt: folder["run"])
    let (_, statistics) = try counted(folder)
    #expect(statistics.tally == tally)
    #expect(tally.accepted < 20 && tally.accepted > 0)
    let rejected = statistics.areas.bins.prefix(6)
    #expect(rejected.allSatisfy { $0.accepted == 0 } && rejected.contains { $0.rejected > 0 })
  }

  @Test func anUnfinishedRunIsCountedAsFarAsItGoes() throws {
    let folder = try TemporaryFolder.withRun(shards: [0, 2])
    let (_, statistics) = try counted(folder)
    #expect(statistics.tally.samples == 14 && statistics.planned == 24)
    #expect(statistics.missingShards == [1, 3])
    let members = JSONValue.object(statistics.members)
    #expect(members["missing_shards"] == "1,3" && members["planned"] == 24)
    let lines = statistics.lines(width: nil) { $0 }
    #expect(lines[0].contains("of a run of 24 (not made yet: shards 1,3)"), "\(lines[0])")
  }

  @Test func sidesOfASplitCountASampleOnce() throws {
    let table = try ClassTable([
      .init(id: 1, name: "dog", split: .seen), .init(id: 2, name: "cat", split: .seen),
      .init(id: 3, name: "owl", split: .unseen),
    ])
    let folder = try TemporaryFolder(inMemory: true)
    let layout = RunLayout(sampleCount: 2, shardSize: 2)
    let run = try RunFolder.open(
      path: folder["run"], configuration: ["count": 2, "shard_size": 2], classes: table,
      layout: layout, numerics: "drawn")
    let shard = try run.openShard(0)
    for (index, ids) in [[1, 2, 0, 1], [3, 3, 0, 1]].enumerated() {
      let image = try PixelImage(width: 2, height: 2, filledWith: Colour(9, 90, 9))
      let mask = try LabelMask(width: 2, height: 2, ids: ids.map(UInt16.init))
      let entities = Set(ids).subtracting([0]).sorted().map { id in
        SampleRecord.Entity(
          name: table.entries[id - 1].name, classID: id, words: "x", isNamed: true, isPresent: true,
          presence: 1, area: 0.25, confidence: 1, edgeConfidence: 1, parts: 1, touchesBorder: true)
      }
      let record = SampleRecord(
        index: index, hasMask: true, prompt: "x", seed: 1, width: 2, height: 2,
        reasons: index == 0 ? [] : ["area:owl"], entities: entities, scores: .init(of: image))
      try shard.add(record, image: image, mask: mask)
    }
    try shard.commit()
    try run.close()
    let (_, statistics) = try counted(folder)
    let members = JSONValue.object(statistics.members)
    #expect(
      members["per_split"]?["seen"] == ["images": 2, "pixels": 4, "accepted": 1, "attempts": 2])
    #expect(
      members["per_split"]?["unseen"] == ["images": 1, "pixels": 2, "accepted": 0, "attempts": 1])
    #expect(
      members["per_class"]?["owl"] == ["images": 1, "pixels": 2, "accepted": 0, "attempts": 1])
  }

  @Test func anIdThatNoClassHasIsNamed() throws {
    var drawn = SyntheticRun(count: 3, shardSize: 3)
    drawn.strayClass = 200
    let folder = try TemporaryFolder.withRun(drawn)
    #expect {
      try counted(folder)
    } throws: { error in
      "\(error)".contains("masks/000000002.png: holds the id 200")
    }
  }

  @Test func linesHaveBarsOnATerminalAndNoneElsewhere() throws {
    let folder = try TemporaryFolder.withRun()
    let (_, statistics) = try counted(folder)
    let plain = statistics.lines(width: nil) { $0 }
    let wide = statistics.lines(width: 72) { $0 }
    #expect(plain[0] == "24 samples, 22 accepted")
    #expect(!plain.contains { $0.contains("#") })
    #expect(wide.contains { $0.contains("####") })
    #expect(wide.contains("where objects lie:") && !plain.contains("where objects lie:"))
    let rows = wide.drop { $0 != "where objects lie:" }.dropFirst().map(\.count)
    #expect(rows == Array(repeating: 36, count: 18), "a border, 16 rows of 32, a border")
    // Without its bar a line of the terminal is the line that other programs get.
    for (line, bare) in zip(wide, plain) { #expect(line.hasPrefix(bare)) }
    for line in wide { #expect(line.count <= 72, "\(line)") }
    #expect(plain.contains { $0.hasPrefix("  dog") })
  }

  @Test func aRunWithoutMasksHasCountsAlone() throws {
    var drawn = SyntheticRun(count: 4, shardSize: 4)
    drawn.hasMasks = false
    let folder = try TemporaryFolder.withRun(drawn)
    let (_, statistics) = try counted(folder)
    #expect(statistics.masks == 0 && statistics.places.shares.allSatisfy { $0 == 0 })
    #expect(statistics.lines(width: 80) { $0 }.last == "no masks")
  }
}
