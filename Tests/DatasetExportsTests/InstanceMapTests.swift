import DatasetExports
import Imaging
import TestSupport
import Testing

@Suite struct InstanceMapTests {
  private func mask(_ rows: [String]) throws -> LabelMask {
    try LabelMask(
      width: rows[0].utf8.count, height: rows.count,
      ids: rows.joined().utf8.map { character in
        character == UInt8(ascii: "x")
          ? LabelMask.ignored : UInt16(character - UInt8(ascii: "0"))
      })
  }

  @Test func anEntityIsAllPixelsOfAClass() throws {
    let map = try InstanceMap(mask(["200", "0x1", "201"]), division: .entity, place: "mask")
    #expect(map.numbers == [2, 0, 0, 0, 255, 1, 2, 0, 1])
    #expect(map.instances.map(\.category) == [1, 2])
    #expect(map.instances.map(\.area) == [2, 2])
    #expect(map.instances[1].box == BoundingBox(x: 0, y: 0, width: 1, height: 3))
  }

  @Test func partsTouchAtEdgesOrCorners() throws {
    let map = try InstanceMap(
      mask(["1000", "0101", "0001", "2011"]), division: .parts, place: "mask")
    #expect(map.instances.map(\.category) == [1, 1, 2])
    #expect(map.instances.map(\.area) == [2, 4, 1])
    #expect(map.numbers == [1, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 3, 0, 2, 2])
  }

  @Test func specksCountToTheLargestPartOfTheirClass() throws {
    // A two-thousandth of 64 x 64 pixels is more than two.
    var ids = [UInt16](repeating: 0, count: 64 * 64)
    for place in [0, 1, 10, 11, 12] { ids[place] = 4 }
    for place in 640..<660 { ids[place] = 4 }
    ids[200] = 5
    let map = try InstanceMap(
      LabelMask(width: 64, height: 64, ids: ids), division: .parts, place: "mask")
    #expect(map.instances.map(\.category) == [4, 4, 5])
    #expect(map.instances.map(\.area) == [3, 22, 1])
    #expect(map.instances[1].box == BoundingBox(x: 0, y: 0, width: 20, height: 11))
    #expect(map.numbers[0] == 2)
  }

  @Test func noPixelIsLostBeyondTheLimitOfInstances() throws {
    // 400 single pixels, each large enough to be a part of its own in a picture this small.
    let ids = (0..<40 * 40).map { place -> UInt16 in
      let (x, y) = (place % 40, place / 40)
      guard x % 2 == 0, y % 2 == 0 else { return 0 }
      return UInt16(1 + place % 3)
    }
    let mask = try LabelMask(width: 40, height: 40, ids: ids)
    let map = try InstanceMap(mask, division: .parts, place: "mask")
    #expect(map.instances.count == InstanceMap.limit)
    #expect(map.instances.map(\.number) == Array(1...InstanceMap.limit))
    #expect(zip(map.numbers, ids).allSatisfy { ($0 == 0) == ($1 == 0) })
    for (number, id) in zip(map.numbers, ids) where id != 0 {
      #expect(map.instances[Int(number) - 1].category == Int(id))
    }
    let again = try InstanceMap(mask, division: .parts, place: "mask")
    #expect(again == map)
  }

  @Test func everyDivisionKeepsClassesApart() throws {
    for seed in 0..<200 {
      var random = SeededGenerator(seed: UInt64(seed))
      let (width, height) = (1 + Int(random.next() % 30), 1 + Int(random.next() % 30))
      let ids = random.bytes(width * height, below: 5).map { UInt16($0) }
      let mask = try LabelMask(width: width, height: height, ids: ids)
      for division in InstanceDivision.allCases {
        let map = try InstanceMap(mask, division: division, place: "mask")
        for (number, id) in zip(map.numbers, ids) {
          #expect(id == 0 ? number == 0 : map.instances[Int(number) - 1].category == Int(id))
        }
        #expect(map.instances.reduce(0) { $0 + $1.area } == ids.count { $0 != 0 })
        for (instance, runs) in zip(map.instances, map.encodings) {
          #expect(runs.area == instance.area && runs.box == instance.box && instance.area > 0)
        }
      }
    }
  }

  @Test func moreClassesThanNumbersAreRefused() throws {
    let ids = (0..<300).map { UInt16($0) }
    let mask = try LabelMask(width: 300, height: 1, ids: ids)
    #expect(throws: ExportError.self) {
      _ = try InstanceMap(mask, division: .entity, place: "mask")
    }
  }
}
