import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct RunLengthEncodingTests {
  private func encoding(_ rows: [String]) -> RunLengthEncoding {
    let pixels = rows.map { Array($0.utf8) }
    return RunLengthEncoding(height: rows.count, width: rows[0].utf8.count) { x, y in
      pixels[y][x] == UInt8(ascii: "1")
    }
  }

  @Test func runsGoDownColumnsAndBeginOutside() {
    let small = encoding(["011", "001"])
    #expect(small.runs == [2, 1, 1, 2])
    #expect(small.compressed == "2111")
    #expect(small.area == 3)
    #expect(small.box == BoundingBox(x: 1, y: 0, width: 2, height: 2))
    let full = encoding(Array(repeating: "11111", count: 4))
    #expect(full.runs == [0, 20])
    #expect(full.compressed == "0d0")
    #expect(full.box == BoundingBox(x: 0, y: 0, width: 5, height: 4))
    let empty = encoding(Array(repeating: "00000", count: 4))
    #expect(empty.compressed == "d0")
    #expect(empty.box == .empty)
    // From the fourth run on differences are written; -2 is N.
    let differing = encoding(["0001100010"])
    #expect(differing.runs == [3, 2, 3, 1, 1])
    #expect(differing.compressed == "323ON")
  }

  /// pycocotools' answers to the same masks, as hashes of blocks.
  @Test func aHundredThousandMasksAreEncodedAsPycocotoolsDoes() throws {
    let file = Fixture.folder.appendingPathComponent("regions/digests.json")
    let digests = try JSONValue.parse(Array(Data(contentsOf: file)))
    let block = try #require(digests["block"]?.integer)
    let hashes = try #require(digests["sha256"]?.elements).compactMap(\.string)
    #expect(block * hashes.count == 100_000)
    for (position, hash) in hashes.enumerated() {
      var hasher = ContentHasher()
      for number in position * block..<(position + 1) * block {
        let drawn = DrawnMask(number)
        let runs = RunLengthEncoding(height: drawn.height, width: drawn.width) { x, y in
          drawn.pixels[y * drawn.width + x]
        }
        let box = runs.box
        let line = "\(runs.height) \(runs.width) \(runs.compressed) \(runs.area) "
        hasher.update(Array("\(line)\(box.x) \(box.y) \(box.width) \(box.height)\n".utf8))
      }
      #expect(hasher.sha256 == hash, "block \(position)")
    }
  }

  @Test func everyTextReadsBackToItsPixels() throws {
    for number in 0..<3000 {
      let drawn = DrawnMask(number)
      let runs = RunLengthEncoding(height: drawn.height, width: drawn.width) { x, y in
        drawn.pixels[y * drawn.width + x]
      }
      let back = try RunLengthEncoding(
        compressed: runs.compressed, height: runs.height, width: runs.width, place: "text")
      #expect(back == runs)
      #expect(back.pixels == drawn.pixels)
    }
  }

  @Test func allRegionsOfAPictureAreEncodedAsEachAlone() throws {
    for seed in 0..<200 {
      var random = SeededGenerator(seed: UInt64(seed))
      let (width, height) = (1 + Int(random.next() % 20), 1 + Int(random.next() % 20))
      let ids = random.bytes(width * height, below: 4).map { id in
        id == 3 ? LabelMask.ignored : UInt16(id)
      }
      let mask = try LabelMask(width: width, height: height, ids: ids)
      let map = try InstanceMap(mask, division: .entity, place: "mask")
      #expect(map.encodings.count == map.instances.count)
      for (instance, runs) in zip(map.instances, map.encodings) {
        let alone = RunLengthEncoding(height: height, width: width) { x, y in
          Int(mask[x, y]) == instance.category
        }
        #expect(runs == alone)
        #expect(runs.area == instance.area)
        #expect(runs.box == instance.box)
      }
    }
  }

  @Test func runsOfNoLengthAreJoinedAway() throws {
    let runs = try RunLengthEncoding(
      runs: [2, 0, 1, 3, 0, 0, 0, 2, 0], height: 2, width: 4, place: "runs")
    #expect(runs.runs == [3, 5])
    let leading = try RunLengthEncoding(runs: [0, 0, 4], height: 2, width: 2, place: "runs")
    #expect(leading.runs == [4])
    #expect(leading.area == 0)
  }

  @Test(arguments: [
    ("", "the runs are 0 pixels in sum"), ("d0", "the runs reach beyond"), ("3", "are 3 pixels"),
    ("T", "end within a number"), ("22\u{7f}", "byte 127 at place 2"), ("2 2", "byte 32"),
    ("O", "a run of length -1"), ("222222", "reach beyond"), ("PPPPPPPP0", "more than 6 characters"),
    ("oooooo", "end within a number"), ("ooooo0", "reach beyond"), ("\u{e9}", "byte 195"),
  ])
  func aHostileTextIsRefused(text: String, problem: String) throws {
    do {
      _ = try RunLengthEncoding(compressed: text, height: 2, width: 2, place: "here")
      Issue.record("\(text) was read")
    } catch let error as ExportError {
      #expect(error.code == .malformed)
      #expect(error.description.hasPrefix("here: "))
      #expect(error.description.contains(problem), "\(error)")
    }
  }

  @Test func anySizeAndAnyBytesGiveAnErrorOrARegionOfThatSize() throws {
    var random = SeededGenerator(seed: 3)
    var read = 0
    for _ in 0..<20_000 {
      let height = 1 + Int(random.next() % 5)
      let bytes = random.bytes(Int(random.next() % 6), below: 64).map { $0 + 48 }
      let text = String(decoding: bytes, as: UTF8.self)
      do {
        let runs = try RunLengthEncoding(
          compressed: text, height: height, width: 3, place: "text")
        #expect(runs.runs.reduce(0, +) == 3 * height)
        #expect(runs.runs.dropFirst().allSatisfy { $0 > 0 })
        read += 1
      } catch is ExportError {}
    }
    #expect(read > 10)
    for (height, width) in [(0, 4), (4, 0), (-1, 4), (1 << 40, 1 << 40), (8193, 1)] {
      #expect(throws: ExportError.self) {
        _ = try RunLengthEncoding(compressed: "4", height: height, width: width, place: "text")
      }
    }
  }
}
