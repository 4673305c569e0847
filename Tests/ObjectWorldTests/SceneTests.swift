import CanonicalJSON
import DatasetFormat
import Foundation
import Generation
import Imaging
import ObjectWorld
import TestSupport
import Testing

@Suite struct SceneTests {
  static var fixture: String { Fixture.folder.appendingPathComponent("world").path }

  /// A composer on the committed pack.
  private func composer(
    _ subset: WorldSubset = .train, objects: String = "1-3", side: Int = 96, doubles: Int = 30
  ) throws -> SceneComposer {
    let pack = try WorldPack(path: Self.fixture)
    return try SceneComposer(
      pack, classes: WorldClasses(pack), subset: subset,
      settings: SceneSettings(
        objects: ObjectCounts(parsing: objects), side: side, doubles: doubles))
  }

  /// Of a drawn pack every object has a colour channel of its own and the background is black, so that each object's
  /// alpha can be taken from the picture, the nearest first, without looking at how scenes are composed.
  @Test(arguments: [1, 2, 3]) func masksAreThoseOfThePicture(objects: Int) throws {
    try withPack { folder in
      let pack = try WorldPack(path: folder)
      let scenes = try SceneComposer(
        pack, classes: WorldClasses(pack), subset: .train,
        settings: SceneSettings(
          objects: try ObjectCounts(objects...objects), side: 120, doubles: 0))
      let channels = Dictionary(
        uniqueKeysWithValues: DrawnPack.colours.enumerated().map { ($1.name, $0) })
      var (compared, uncertain) = (0, 0)
      var wrong: [String] = []
      for index in 0..<12 {
        let scene = try scenes.scene(run: 5, index: index)
        let order = try scene.objects.reversed().map { object in
          let name = object.file.split(separator: "/")[1]
          return (try #require(channels[String(name)]), UInt16(object.classID))
        }
        let brightest = order.map { channel, _ in
          stride(from: channel, to: scene.image.samples.count, by: 3).map {
            scene.image.samples[$0]
          }.max() ?? 0
        }
        for place in 0..<120 * 120 {
          var light = 1.0
          var owner = LabelMask.background
          var isUncertain = false
          for (number, (channel, id)) in order.enumerated() where owner == LabelMask.background {
            let value = Double(scene.image.samples[3 * place + channel])
            let alpha = value / (Double(brightest[number]) * light)
            if abs(alpha - 0.5) < 0.5 / (Double(brightest[number]) * light) + 0.005 {
              isUncertain = true
            }
            // Shadows of nearer objects darken this one: what is dim may be solid in a shadow.
            if number > 0, (0.08..<0.5).contains(alpha) { isUncertain = true }
            if alpha >= 0.5 { owner = id }
            light *= 1 - min(alpha, 0.999)
          }
          if isUncertain {
            uncertain += 1
          } else {
            compared += 1
            if scene.mask.ids[place] != owner { wrong.append("scene \(index), pixel \(place)") }
          }
        }
      }
      #expect(wrong.isEmpty)
      #expect(compared > 12 * 120 * 120 * 95 / 100, "\(uncertain) pixels cannot be told apart")
    }
  }

  @Test func whatIsTransparentLeavesNoHalo() throws {
    try withPack { folder in
      let pack = try WorldPack(path: folder)
      let scenes = try SceneComposer(
        pack, classes: WorldClasses(pack), subset: .train,
        settings: SceneSettings(objects: try ObjectCounts(1...1), side: 64, doubles: 0))
      for index in 0..<20 {
        let scene = try scenes.scene(run: 1, index: index)
        let own = DrawnPack.colours.firstIndex { scene.prompt.contains($0.name) }
        let channel = try #require(own)
        let others = scene.image.samples.indices.filter { $0 % 3 != channel }
        #expect(
          others.allSatisfy { scene.image.samples[$0] == 0 },
          "scene \(index): white shines through")
      }
    }
  }

  @Test func pixelsAddUp() throws {
    let scenes = try composer(objects: "2-4")
    var hidden = 0
    for index in 0..<40 {
      let scene = try scenes.scene(run: 3, index: index)
      var counts: [Int: Int] = [:]
      for id in scene.mask.ids { counts[Int(id), default: 0] += 1 }
      let shown = Dictionary(grouping: scene.objects, by: \.classID).mapValues { objects in
        objects.reduce(0) { $0 + $1.visiblePixels }
      }
      for entity in scene.entities {
        #expect(counts[entity.classID] == entity.pixels)
        #expect(shown[entity.classID] == entity.pixels)
      }
      #expect(counts.values.reduce(0, +) == 96 * 96)
      #expect(
        (counts[0] ?? 0) + scene.objects.reduce(0) { $0 + $1.visiblePixels } == 96 * 96)
      #expect(Set(counts.keys).subtracting([0]) == Set(scene.entities.map(\.classID)))
      for object in scene.objects {
        #expect(object.visiblePixels <= object.pixels)
        #expect(object.occlusion <= 0.6)
        #expect(Double(object.visiblePixels) >= 0.005 * 96 * 96)
        hidden += object.pixels - object.visiblePixels
      }
    }
    #expect(hidden > 0, "no object of 40 scenes hides another")
  }

  @Test func promptsNameWhatIsThere() throws {
    let scenes = try composer(objects: "1-3", doubles: 50)
    var (doubles, withPlace) = (0, 0)
    for index in 0..<60 {
      let scene = try scenes.scene(run: 8, index: index)
      let bytes = Array(scene.prompt.utf8)
      let counts = Dictionary(grouping: scene.objects, by: \.classID).mapValues(\.count)
      #expect(scene.entities.count == counts.count)
      #expect((1...3).contains(scene.entities.count))
      for entity in scene.entities {
        #expect(String(decoding: bytes[entity.range], as: UTF8.self) == entity.words)
        #expect(counts[entity.classID] == entity.count)
        let before = String(decoding: bytes[..<entity.range.lowerBound], as: UTF8.self)
        if entity.count == 2 {
          doubles += 1
          #expect(before.hasSuffix("two "), "\(scene.prompt)")
          #expect(entity.words.hasSuffix("s"), "\(scene.prompt)")
        } else {
          let article = "aeiou".contains(entity.words.prefix(1)) ? "an " : "a "
          #expect(before.hasSuffix(article), "\(scene.prompt)")
          #expect(entity.words == entity.name)
        }
      }
      if let words = scenes.pack.places.first(where: { $0.file == scene.place })?.words,
        scene.prompt.hasSuffix(" " + words)
      {
        withPlace += 1
      }
    }
    #expect(doubles > 10, "\(doubles) of 60 scenes at 50 in 100")
    #expect((30...54).contains(withPlace), "\(withPlace) of 60 prompts say where")
  }

  // Every category of the fixture has something held out, so that it has no new scenes.
  @Test(arguments: [WorldSubset.train, .test])
  func subsetsUseTheirOwnFilesOnly(subset: WorldSubset) throws {
    // Read here once more, without the code under test.
    let text = try Data(contentsOf: URL(fileURLWithPath: Self.fixture + "/pack.json"))
    let json = try JSONValue.parse(Array(text))
    var isHeldOut: [String: Bool] = [:]
    for key in ["cutouts", "backgrounds"] {
      for entry in json[key]?.elements ?? [] {
        isHeldOut[try #require(entry["file"]?.string)] = try #require(entry["held_out"]?.bool)
      }
    }
    let scenes = try composer(subset, side: 48)
    var seen: Set<String> = []
    for index in 0..<300 { seen.formUnion(try scenes.scene(run: 0, index: index).sources) }
    for file in seen { #expect(isHeldOut[file] == (subset == .test), "\(file)") }
    let own = isHeldOut.filter { $0.value == (subset == .test) }.count
    #expect(seen.count == own, "\(seen.count) of \(own) files were used in 300 scenes")
  }

  @Test func aSceneFollowsFromItsSeedAlone() throws {
    let first = try composer(side: 64)
    let scenes = try (0..<6).map { try first.scene(run: 4, index: $0) }
    // Another pack with a cache that keeps nothing, other neighbours, another order.
    let pack = try WorldPack(path: Self.fixture, cacheLimit: 0)
    let second = try SceneComposer(
      pack, classes: WorldClasses(pack), subset: .train, settings: first.settings)
    for index in (0..<6).reversed() {
      #expect(try second.scene(seed: scenes[index].seed) == scenes[index])
      #expect(
        scenes[index].seed == SampleSeed.derive(run: 4, index: UInt64(index), attempt: 0))
    }
    #expect(Set(scenes.map(\.image.samples)).count == 6)
  }

  @Test func objectsComeInTheNumbersAskedFor() throws {
    let scenes = try composer(objects: "1:3,3:1", side: 48)
    var counts: [Int: Int] = [:]
    for index in 0..<200 {
      counts[try scenes.scene(run: 2, index: index).entities.count, default: 0] += 1
    }
    #expect(Set(counts.keys) == [1, 3])
    #expect((30...70).contains(counts[3] ?? 0), "\(counts)")
  }

  private func withPack(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("pack-\(UUID().uuidString)").path
    defer { _ = Result { try FileManager.default.removeItem(atPath: folder) } }
    try DrawnPack().write(to: folder)
    try body(folder)
  }
}
