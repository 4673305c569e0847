import DatasetExports
import Imaging
import TestSupport
import Testing

@Suite struct PolygonTracingTests {
  private func tracing(_ rows: [String]) throws -> PolygonTracing? {
    let ids = rows.joined().utf8.map { UInt16($0 - UInt8(ascii: "0")) }
    let mask = try LabelMask(width: rows[0].utf8.count, height: rows.count, ids: ids)
    let map = try InstanceMap(mask, division: .entity, place: "mask")
    return map.instances.first.map(map.outlines)
  }

  /// Pixels whose centres lie inside a polygon, by the parity of its edges to their left.
  private func filled(_ polygons: [[Int]], width: Int, height: Int) -> [Bool] {
    var inside = [Bool](repeating: false, count: width * height)
    for polygon in polygons {
      var parity = [Bool](repeating: false, count: width * height)
      for corner in stride(from: 0, to: polygon.count, by: 2) {
        let next = (corner + 2) % polygon.count
        let (x, y, nextX, nextY) = (
          polygon[corner], polygon[corner + 1], polygon[next], polygon[next + 1]
        )
        #expect((x == nextX) != (y == nextY), "an edge is neither level nor upright")
        guard x == nextX else { continue }
        for row in min(y, nextY)..<max(y, nextY) {
          for column in x..<width { parity[row * width + column].toggle() }
        }
      }
      for place in parity.indices where parity[place] { inside[place] = true }
    }
    return inside
  }

  @Test func anOutlineGoesAroundWholePixels() throws {
    #expect(try tracing(["1"])?.polygons == [[0, 0, 1, 0, 1, 1, 0, 1]])
    #expect(
      try tracing(["000", "011", "010"])?.polygons == [
        [1, 1, 3, 1, 3, 2, 2, 2, 2, 3, 1, 3]
      ])
    // Pixels that touch at a corner only are pieces of their own.
    #expect(
      try tracing(["10", "01"])?.polygons == [
        [0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2],
      ])
  }

  @Test func aHoleIsFilledAndCounted() throws {
    let ring = try #require(try tracing(["1111", "1001", "1111"]))
    #expect(ring.polygons == [[0, 0, 4, 0, 4, 3, 0, 3]])
    #expect(ring.area == 12)
    #expect(ring.agreement == 10.0 / 12)
    #expect(!ring.isFaithful)
    // What is closed by a corner only is no hole: pieces do not hang together there either.
    let open = try #require(try tracing(["0111", "1001", "1111"]))
    #expect(open.agreement == 1)
  }

  @Test func anIslandInAHoleIsPartOfWhatIsFilled() throws {
    let target = try #require(try tracing(["11111", "10001", "10101", "10001", "11111"]))
    #expect(target.polygons.count == 1)
    #expect(target.area == 25)
    #expect(target.agreement == 17.0 / 25)
  }

  @Test func theBoundBetweenOutlinesAndRunsIsHalfAPercent() throws {
    var rows = Array(repeating: String(repeating: "1", count: 20), count: 20)
    rows[5] = "11110011111111111111"
    #expect(try tracing(rows)?.isFaithful == true)
    rows[6] = "11111011111111111111"
    #expect(try tracing(rows)?.isFaithful == false)
  }

  @Test func outlinesOfAnyMaskHoldItsPixelsAndItsHoles() throws {
    var faithful = 0
    for number in 0..<4000 where number % 500 != 7 {
      let drawn = DrawnMask(number)
      let mask = try LabelMask(
        width: drawn.width, height: drawn.height, ids: drawn.pixels.map { $0 ? 1 : 0 })
      let map = try InstanceMap(mask, division: .entity, place: "mask")
      guard let instance = map.instances.first else { continue }
      let outlines = map.outlines(of: instance)
      let inside = filled(outlines.polygons, width: drawn.width, height: drawn.height)
      #expect(inside.count { $0 } == outlines.area)
      let union = zip(inside, drawn.pixels).count { $0 || $1 }
      #expect(union == outlines.area, "mask \(number) has pixels outside its outlines")
      #expect(outlines.agreement == Double(instance.area) / Double(union))
      #expect(outlines.polygons.allSatisfy { $0.count >= 8 && $0.count % 2 == 0 })
      if outlines.agreement == 1 {
        #expect(inside == drawn.pixels)
        faithful += 1
      }
    }
    #expect(faithful > 1000)
  }
}
