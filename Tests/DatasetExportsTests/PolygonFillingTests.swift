import CanonicalJSON
import DatasetExports
import Foundation
import TestSupport
import Testing

@Suite struct PolygonFillingTests {
  /// Runs of an outline without fault.
  private func filled(_ polygon: [Double], _ height: Int, _ width: Int) throws -> RunLengthEncoding
  {
    try RunLengthEncoding(polygon: polygon, height: height, width: width, place: "here")
  }

  @Test func outlinesAreFilledAsPycocotoolsFillsThem() throws {
    let url = Fixture.folder.appendingPathComponent("regions/polygons.json")
    let cases = try #require(JSONValue.parse(Array(Data(contentsOf: url))).elements)
    #expect(cases.count == 400)
    for (number, drawn) in cases.enumerated() {
      let (height, width) = (
        try #require(drawn["height"]?.integer), try #require(drawn["width"]?.integer)
      )
      let outlines = try #require(drawn["outlines"]?.elements)
      let parts = try outlines.map { outline in
        try filled(outline.elements?.compactMap(\.number) ?? [], height, width)
      }
      let all = RunLengthEncoding(union: parts)
      #expect(all.compressed == drawn["counts"]?.string, "case \(number)")
    }
  }

  @Test func tracedOutlinesGiveTheRegionBack() throws {
    // An L of whole pixels, traced by hand.
    let corners: [Double] = [1, 1, 3, 1, 3, 3, 5, 3, 5, 5, 1, 5]
    let region = try filled(corners, 6, 7)
    #expect(region.area == 12)
    var ids = [UInt16](repeating: 0, count: 42)
    region.paint(9, on: &ids)
    #expect(ids.indices.filter { ids[$0] == 9 } == [8, 9, 15, 16, 22, 23, 24, 25, 29, 30, 31, 32])
  }

  @Test func aUnionHasThePixelsOfAllItsParts() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<200 {
      let (height, width) = (1 + Int(random.next() % 9), 1 + Int(random.next() % 9))
      let parts = (0..<1 + Int(random.next() % 4)).map { _ in
        let pixels = (0..<height * width).map { _ in random.next() % 3 == 0 }
        return RunLengthEncoding(height: height, width: width) { pixels[$1 * width + $0] }
      }
      let union = RunLengthEncoding(union: parts)
      let expected = RunLengthEncoding(height: height, width: width) { x, y in
        parts.contains { $0.pixels[y * width + x] }
      }
      #expect(union == expected)
    }
  }

  @Test(
    arguments: [
      ([0, 0, 1, 1], "three corners"), ([], "three corners"),
      ([0, 0, 5, 0, 5, 5, 0], "three corners"),
      ([0, 0, 1e300, 0, 5, 5], "pixels away"), ([0, 0, .nan, 0, 5, 5], "none at all"),
      ([0, 0, -.infinity, 0, 5, 5], "none at all"),
    ] as [([Double], String)])
  func whatIsNoOutlineIsRefused(polygon: [Double], part: String) {
    #expect {
      try filled(polygon, 8, 8)
    } throws: { "\($0)".contains(part) }
  }

  @Test func anOutlineThatGoesOnForeverIsRefusedInTime() {
    let bomb = (0..<200_000).flatMap { [Double($0 % 2) * 30_000, Double($0 % 3) * 30_000] }
    #expect {
      try filled(bomb, 8, 8)
    } throws: { "\($0)".contains("far too long") }
  }
}
