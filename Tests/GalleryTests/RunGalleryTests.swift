import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import Gallery
import Imaging
import TestSupport
import Testing

@Suite struct RunGalleryTests {
  /// What a script of data hands to the page: its one call must hold JSON and nothing else.
  private func handed(_ files: [String: [UInt8]], _ name: String) throws -> [JSONValue] {
    let bytes = try #require(files["data/\(name).js"], "no data/\(name).js")
    let text = String(decoding: bytes, as: UTF8.self)
    let head = "gallery.\(name.prefix { $0 != "-" })("
    try #require(text.hasPrefix(head) && text.hasSuffix(");\n"), "begins with \(text.prefix(40))")
    let values = try JSONValue.parse(Array("[\(text.dropFirst(head.count).dropLast(3))]".utf8))
    return try #require(values.elements)
  }

  /// What data/run.js says.
  private func facts(_ files: [String: [UInt8]]) throws -> JSONValue {
    try #require(try handed(files, "run").first)
  }

  /// The samples of a script of data.
  private func samples(_ files: [String: [UInt8]], _ name: String) throws -> [JSONValue] {
    let values = try handed(files, name)
    return try #require(values.last?.elements)
  }

  @Test func everySampleIsThereWithItsFilesAndTexts() throws {
    let drawn = SyntheticRun(count: 24)
    let folder = try TemporaryFolder.withRun(drawn)
    let summary = try folder.makeGallery("run", to: "set")
    let files = try folder.files("set")
    #expect(summary.samples == 24 && summary.files == files.count)
    #expect(summary.bytes == files.values.reduce(0) { $0 + $1.count })
    #expect(try folder.names() == ["run", "set"])
    let list = try samples(files, "list-0")
    let details = try samples(files, "samples-0")
    #expect(list.count == 24 && details.count == 24)
    for index in 0..<24 {
      let (record, image, mask) = try drawn.sample(index)
      #expect(list[index].elements?[0].integer == index)
      #expect(list[index].elements?[4].string == record.prompt)
      #expect(details[index]["prompt"]?.string == record.prompt)
      #expect(details[index]["seed"]?.string == String(record.seed))
      #expect(details[index]["command"] == .null, "no command made this run")
      let picture = try #require(files["images/0/\(index).png"])
      #expect(try PNGCodec.decodeImage(picture).pixels == image)
      let overlay = try #require(files["overlays/0/\(index).png"])
      try expectOverlay(overlay, of: try #require(mask), classes: try drawn.classes())
    }
    let facts = try facts(files)
    let classes = try drawn.classes().entries.map(\.name)
    #expect(facts["classes"]?.elements?.compactMap { $0["name"]?.string } == classes)
    #expect(facts["samples"] == 24 && facts["accepted"] == 22 && facts["name"] == "run")
  }

  private func expectOverlay(_ bytes: [UInt8], of mask: LabelMask, classes: ClassTable) throws {
    let cutout = try PNGCodec.decodeCutout(bytes)
    #expect(cutout.width == mask.width && cutout.height == mask.height)
    for place in mask.ids.indices {
      let id = mask.ids[place]
      let found = Array(cutout.samples[4 * place..<4 * place + 4])
      let wanted = classes.entries.first { $0.id == Int(id) }?.colour ?? Palette.colour(of: 255)
      let isRight =
        id == LabelMask.background
        ? found[3] == 0 : found == [wanted.red, wanted.green, wanted.blue, 255]
      #expect(isRight, "\(found) at \(place), of id \(id)")
    }
  }

  @Test func noTextOfTheRunStandsInThePageItself() throws {
    let folder = try TemporaryFolder.withRun()
    try folder.makeGallery("run", to: "set")
    let files = try folder.files("set")
    let page = String(decoding: try #require(files["index.html"]), as: UTF8.self)
    #expect(page.contains("Content-Security-Policy") && page.contains("default-src 'none'"))
    for text in ["dog", "quoted", "openrail", "http:", "https:", "//"] {
      #expect(!page.contains(text), "\(text)")
    }
    let other = try TemporaryFolder.withRun(SyntheticRun(count: 2, classCount: 1))
    try other.makeGallery("run", to: "set")
    let otherFiles = try other.files("set")
    for (name, bytes) in files where name == "index.html" || name.hasPrefix("page/") {
      #expect(otherFiles[name] == bytes, "\(name)")
      #expect(!bytes.isEmpty)
    }
    #expect(files.keys.count { $0.hasPrefix("page/") } == 7)
  }

  @Test func theSameRunGivesTheSameBytes() throws {
    let folder = try TemporaryFolder.withRun()
    try folder.makeGallery("run", to: "one")
    try folder.makeGallery("run", to: "run/gallery")
    #expect(try folder.files("one") == folder.files("run/gallery"))
    _ = try RunContents.open(path: folder["run"])
  }

  @Test func largePicturesHaveSmallOnesBesideThem() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let run = try RunFolder.open(
      path: folder["run"], configuration: ["count": 2, "shard_size": 2],
      classes: ClassTable([.init(id: 300, name: "dog")]),
      layout: RunLayout(sampleCount: 2, shardSize: 2), numerics: "drawn")
    let shard = try run.openShard(0)
    for (index, width) in [640, 320].enumerated() {
      let image = try PixelImage(width: width, height: 100, filledWith: Colour(10, 200, 30))
      let ids = (0..<width * 100).map { UInt16($0 % width < width / 2 ? 300 : 0) }
      let entity = SampleRecord.Entity(
        name: "dog", classID: 300, words: "dog", isNamed: true, isPresent: true, presence: 1,
        area: 0.5, confidence: 1, edgeConfidence: 1, parts: 1, touchesBorder: true)
      try shard.add(
        SampleRecord(
          index: index, hasMask: true, prompt: "a dog", seed: 5, width: width, height: 100,
          entities: [entity], scores: .init(of: image)), image: image,
        mask: LabelMask(width: width, height: 100, ids: ids))
    }
    try shard.commit()
    try run.close()
    try folder.makeGallery("run", to: "set")
    let files = try folder.files("set")
    let small = try JPEGCodec.decode(try #require(files["thumbnails/0/0.jpg"]))
    let overlay = try PNGCodec.decodeCutout(
      try #require(files["thumbnail-overlays/0/0.png"]))
    #expect(small.width == 256 && small.height == 40)
    #expect(overlay.width == 256 && overlay.height == 40)
    let colour = Palette.colour(of: 300)
    for place in 0..<256 * 40 {
      let pixel = Array(overlay.samples[4 * place..<4 * place + 4])
      let isRight =
        place % 256 < 128
        ? pixel == [colour.red, colour.green, colour.blue, 255] : pixel[3] == 0
      #expect(isRight, "\(pixel) at \(place)")
    }
    #expect(files["thumbnails/0/1.jpg"] == nil && files["overlays/0/1.png"] != nil)
  }

  @Test func anUnfinishedRunIsShownAsFarAsItGoes() throws {
    let folder = try TemporaryFolder.withRun(shards: [3, 1])
    #expect(try folder.makeGallery("run", to: "set").samples == 10)
    let files = try folder.files("set")
    let facts = try facts(files)
    #expect(facts["missing_shards"] == "0,2" && facts["planned"] == 24 && facts["samples"] == 10)
    let list = try samples(files, "list-0")
    #expect(
      list.compactMap { $0.elements?[0].integer } == Array(7..<14) + Array(21..<24))
    let bare = try TemporaryFolder.withRun(shards: [])
    #expect {
      try bare.makeGallery("run", to: "set")
    } throws: { error in
      "\(error)".contains("nothing to show: no shard is finished")
    }
    #expect(try bare.names() == ["run"])
  }

  @Test func whatIsNoEarlierGalleryIsLeftAlone() throws {
    let folder = try TemporaryFolder.withRun()
    func expectRefusal(_ name: String, saying part: String) throws {
      let before = try folder.files(name)
      #expect {
        try folder.makeGallery("run", to: name)
      } throws: { error in
        "\(error)".contains(part)
      }
      #expect(try folder.files(name) == before)
    }
    try folder.write("mine", to: "notes/x.txt")
    try expectRefusal("notes", saying: "is no earlier gallery")
    try expectRefusal("run", saying: "is no earlier gallery")
    _ = try DatasetExport(
      RunContents.open(path: folder["run"]), options: ExportOptions(formats: [.voc])
    ).write(to: folder["set"]) { _ in }
    try expectRefusal("set", saying: "is no earlier gallery")
    try folder.makeGallery("run", to: "shown")
    #expect {
      try DatasetExport(
        RunContents.open(path: folder["run"]), options: ExportOptions(formats: [.voc])
      ).write(to: folder["shown"]) { _ in }
    } throws: { error in
      "\(error)".contains("is no earlier export")
    }
    try folder.write("mine", to: "shown/images/0/notes.txt")
    try expectRefusal("shown", saying: "images/0/notes.txt: is no part of the gallery")
    #expect(try folder.names() == ["notes", "run", "set", "shown"])
  }

  @Test func stoppingLeavesThePlaceAsItWas() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder.withRun()
    func stop(at moment: Int) throws {
      #expect(throws: Stop.self) {
        try folder.makeGallery("run", to: "set") { if $0 == moment { throw Stop() } }
      }
    }
    for moment in [0, 1, 24] { try stop(at: moment) }
    #expect(try folder.names() == ["run"])
    try folder.makeGallery("run", to: "set")
    let before = try folder.files("set")
    try stop(at: 12)
    #expect(try folder.files("set") == before)
    var rules = FilterRules()
    rules.entities.minArea = 0.3
    _ = try RunFilter.apply(rules, toRunAt: folder["run"])
    try folder.makeGallery("run", to: "set")
    let facts = try facts(folder.files("set"))
    #expect(facts["is_filtered"] == true)
    #expect(try folder.names() == ["run", "set"])
  }
}
