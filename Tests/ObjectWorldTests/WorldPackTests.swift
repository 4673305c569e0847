import DatasetFormat
import Foundation
import Generation
import Imaging
import ObjectWorld
import TestSupport
import Testing

@Suite struct WorldPackTests {
  private func withPack(
    _ pack: DrawnPack = DrawnPack(), _ body: (String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("pack-\(UUID().uuidString)").path
    defer { _ = Result { try FileManager.default.removeItem(atPath: folder) } }
    try pack.write(to: folder)
    try body(folder)
  }

  @Test func theCommittedPackIsWhatItsReadmeSays() throws {
    let pack = try WorldPack(path: SceneTests.fixture)
    #expect(pack.categories.count == 12)
    #expect(pack.cutouts.count == 100)
    #expect(pack.cutouts.count(where: \.isHeldOut) == 46)
    #expect(pack.places.count(where: \.isHeldOut) == 4)
    #expect(pack.places.count == 12)
    #expect(ContentHash.isWellFormed(try pack.check()))
    let names =
      FileManager.default.enumerator(atPath: pack.path)?.compactMap { $0 as? String } ?? []
    let bytes = try names.reduce(0) { sum, name in
      let status = try FileManager.default.attributesOfItem(atPath: "\(pack.path)/\(name)")
      return sum
        + (status[.type] as? FileAttributeType == .typeRegular ? status[.size] as? Int ?? 0 : 0)
    }
    #expect(bytes < 3_000_000, "\(bytes) bytes")
  }

  @Test func withoutADescriptionEveryPictureIsTakenAndSomeAreHeldOut() throws {
    try withPack { folder in
      try DrawnPack.write(
        try DrawnPack().cutout(Colour(9, 9, 9)) { _, _ in true },
        to: folder + "/cutouts/teddy_bear/one.png")
      let pack = try WorldPack(path: folder)
      #expect(pack.categories == ["bar", "disc", "square", "teddy bear"])
      // The last of three things, the last of four places, nothing of a single picture.
      #expect(
        pack.cutouts.filter(\.isHeldOut).map(\.file)
          == ["bar", "disc", "square"].map { "cutouts/\($0)/2/0.png" })
      #expect(
        pack.places.filter(\.isHeldOut).map(\.file) == ["backgrounds/in_the_dark/3.png"])
      #expect(Set(pack.places.map(\.words)) == ["in the dark"])
      #expect(pack.cutouts.last?.thing == "one.png")
    }
  }

  @Test func theDigestIsOfNamesAndBytes() throws {
    try withPack { folder in
      let first = try WorldPack(path: folder).check()
      #expect(try WorldPack(path: folder).check() == first)
      let lines = try ["cutouts", "backgrounds"].flatMap { name in
        (FileManager.default.enumerator(atPath: "\(folder)/\(name)")?.compactMap { $0 as? String }
          ?? [])
          .filter { $0.hasSuffix(".png") }.map { "\(name)/\($0)" }
      }.sorted().map { file in
        ContentHash.sha256(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
          + "  \(file)\n"
      }
      #expect(first == ContentHash.sha256(lines.joined().utf8))
      try FileManager.default.moveItem(
        atPath: folder + "/backgrounds/in_the_dark/3.png",
        toPath: folder + "/backgrounds/in_the_dark/4.png")
      #expect(try WorldPack(path: folder).check() != first)
    }
  }

  @Test func classesOfATableKeepTheirIdsAndAliases() throws {
    try withPack { folder in
      let pack = try WorldPack(path: folder)
      let tsv = "7\tball\tdisc,globe\tseen\n# a comment\n300\tsquare\t\tunseen\n301\tghost\t\t-\n"
      let table = try ClassTable(tsv: Array(tsv.utf8), path: "x.tsv", colours: .optional)
      let classes = try WorldClasses(pack, table: table, path: "x.tsv")
      #expect(classes.unknownCategories == ["bar"])
      #expect(try classes.table().entries.map(\.id) == [7, 300, 301])
      #expect(try classes.table().entries.map(\.split) == [.seen, .unseen, .none])
      func ids(_ only: VocabularyClass.Split?) throws -> Set<Int> {
        let scenes = try SceneComposer(
          pack, classes: classes, subset: .train,
          settings: SceneSettings(
            objects: try ObjectCounts(1...1), side: 32, only: only))
        return try Set(
          (0..<20).flatMap { try scenes.scene(run: 0, index: $0).entities.map(\.classID) })
      }
      #expect(try ids(nil) == [7, 300])
      #expect(try ids(.unseen) == [300])
      // A table in a run folder has colours; only tables by hand may leave them out.
      #expect(throws: DatasetError.self) { try ClassTable(tsv: Array(tsv.utf8), path: "x.tsv") }
    }
  }

  @Test func categoriesWithoutHeldOutPicturesAreInNoTest() throws {
    var drawn = DrawnPack()
    drawn.things = 2
    try withPack(drawn) { folder in
      for view in 1..<5 {
        try FileManager.default.copyItem(
          atPath: folder + "/cutouts/bar/0/0.png", toPath: folder + "/cutouts/bar/0/\(view).png")
      }
      let pack = try WorldPack(path: folder)
      let scenes = try SceneComposer(
        pack, classes: WorldClasses(pack), subset: .test,
        settings: SceneSettings(objects: try ObjectCounts(1...1), side: 32))
      #expect(scenes.emptyClasses == ["disc", "square"])
      for index in 0..<10 {
        #expect(
          try scenes.scene(run: 0, index: index).sources == [
            "backgrounds/in_the_dark/3.png", "cutouts/bar/0/4.png",
          ])
      }
    }
  }
}
