import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct ImportTests {
  /// Imports a set in the folder; the faults.
  @discardableResult
  private func run(
    _ folder: TemporaryFolder, _ place: ImportPlace, to name: String = "imported",
    shardSize: Int = 8
  ) throws -> [ImportFault] {
    let reading = try DatasetImport(place)
    var faults: [ImportFault] = []
    try reading.look {
      faults.append($0)
    } progress: { _ in
    }
    #expect(reading.findings.faultCount == faults.count)
    try reading.write(
      to: folder[name], shardSize: shardSize, licence: nil, version: "test"
    ) { _ in }
    #expect(try RunVerifier.faults(inRunAt: folder[name]).isEmpty)
    return faults
  }

  /// The masks of a run by the names of their classes, and the prompts, by a sample's key.
  private func contents(
    _ path: String, key: (SampleRecord) -> String
  ) throws -> [String: (names: [String], prompt: String)] {
    let run = try RunContents.open(path: path)
    var names: [UInt16: String] = [0: "", 65535: "?"]
    for entry in run.classes.entries { names[UInt16(entry.id)] = entry.name }
    var found: [String: (names: [String], prompt: String)] = [:]
    try run.forEachSample { sample in
      guard sample.isAccepted else { return }
      let mask = try #require(try run.mask(of: sample))
      let text = mask.ids.map { names[$0] ?? "none" }
      found[key(sample.record)] = (["\(mask.width) x \(mask.height)"] + text, sample.record.prompt)
    }
    return found
  }

  private func expectEqual(
    _ folder: TemporaryFolder, _ original: String, _ imported: String
  ) throws {
    let before = try contents(folder[original]) { "\($0.index)" }
    let after = try contents(folder[imported]) { record in
      let file = record.sources[0].split(separator: "/").last ?? ""
      return "\(Int(file.prefix { $0 != "." }) ?? -1)"
    }
    #expect(before.keys.sorted() == after.keys.sorted())
    for (key, sample) in before {
      #expect(after[key]?.names == sample.names, "sample \(key)")
      #expect(after[key]?.prompt == sample.prompt)
    }
  }

  @Test(arguments: [
    SyntheticRun(count: 40, shardSize: 16, promptSize: 1),
    SyntheticRun(count: 20, shardSize: 20, classCount: 254),
  ])
  func aRunComesBackFromVOCWithEqualMasks(run: SyntheticRun) throws {
    let folder = try TemporaryFolder(inMemory: true)
    try run.write(to: folder["run"])
    try folder.export("run", to: "set", .init(formats: [.voc]))
    #expect(try self.run(folder, .init(format: .voc, path: folder["set"])).isEmpty)
    try expectEqual(folder, "run", "imported")
    // Exported again, the masks have the same bytes.
    try folder.export(
      "imported", to: "again", .init(formats: [.voc], shares: try #require(SplitShares("100,0,0"))))
    let (first, second) = (try folder.files("set"), try folder.files("again"))
    func masks(_ files: [String: [UInt8]]) -> Set<[UInt8]> {
      Set(files.filter { $0.key.contains("SegmentationClass/") }.values)
    }
    #expect(masks(first) == masks(second))
  }

  @Test(arguments: [5, 300])
  func aRunComesBackFromCOCOWithEqualMasks(classCount: Int) throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun(count: 30, shardSize: 16, classCount: classCount).write(to: folder["run"])
    try folder.export(
      "run", to: "set", .init(formats: [.coco], imageFormat: .png, division: .parts))
    #expect(try run(folder, .init(format: .coco, path: folder["set"])).isEmpty)
    try expectEqual(folder, "run", "imported")
    let imported = try RunContents.open(path: folder["imported"])
    #expect(imported.classes.maskDepth == (classCount > 254 ? .sixteen : .eight))
    #expect(imported.configuration["import"]?["format"] == "coco")
    // The same pixels, too, since the pictures were PNG.
    let original = try RunContents.open(path: folder["run"])
    var pictures: Set<[UInt8]> = []
    try original.forEachSample {
      if $0.isAccepted { pictures.insert(try original.image(of: $0).samples) }
    }
    try imported.forEachSample { sample in
      let picture = try imported.image(of: sample)
      #expect(pictures.contains(picture.samples))
    }
  }

  @Test func aCardOfAnImportedSetDoesNotClaimItsPictures() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun(count: 12, isUniform: true).write(to: folder["run"])
    try folder.export("run", to: "set", .init(formats: [.voc]))
    try run(folder, .init(format: .voc, path: folder["set"]))
    try folder.export("imported", to: "again", .init(formats: [.coco]))
    let card = try folder.files("again").text("README.md")
    #expect(card.contains("were read from another data set") && card.contains("- extended\n"))
    #expect(!card.contains("synthetic") && !card.contains("diffusion"))
  }

  /// A COCO set of three pictures with everything that is odd.
  private func writeCOCO(_ folder: TemporaryFolder) throws {
    let grey = try PixelImage(
      width: 6, height: 4, channels: .grey, samples: (0..<24).map { UInt8($0 * 10) })
    try folder.write(JPEGCodec.encode(grey, quality: 90), to: "coco/images/train/a.JPG")
    try folder.write(PNGCodec.encode(grey.rgb), to: "coco/images/train/sub/A.jpg")
    try folder.write(PNGCodec.encode(grey.rgb), to: "coco/images/train/small.png")
    try folder.write("not a picture", to: "coco/images/train/text.jpg")
    try folder.write(
      #"""
      {"images":[{"id":1,"width":6,"height":4,"file_name":"a.JPG"},
      {"id":2,"width":6,"height":4,"file_name":"sub/A.jpg"},
      {"id":3,"width":6,"height":5,"file_name":"small.png"},{"id":4,"width":6,"height":4,"file_name":"none.png"},
      {"id":5,"width":6,"height":4,"file_name":"../../run.json"},
      {"id":6,"width":6,"height":4,"file_name":"text.jpg"}],
      "categories":[{"id":0,"name":"thing"},{"id":90,"name":"thing"},{"id":7,"name":"large"}],
      "annotations":[
      {"id":1,"image_id":1,"category_id":0,"segmentation":[[2,1,4,1,4,3,2,3]],"iscrowd":0},
      {"id":2,"image_id":1,"category_id":7,"segmentation":[[0,0,5,0,5,4,0,4]],"iscrowd":0},
      {"id":3,"image_id":1,"category_id":7,"segmentation":{"size":[4,6],"counts":[16,8]},"iscrowd":1},
      {"id":4,"image_id":2,"category_id":90,"segmentation":{"size":[4,6],"counts":[5,2,2,2,13]},"iscrowd":0},
      {"id":5,"image_id":2,"category_id":7,"segmentation":[[1,1,1,1,1,1]]},
      {"id":6,"image_id":2,"category_id":7,"segmentation":[[1,1,2,1]]}]}
      """#, to: "coco/annotations/instances_train.json")
    try folder.write(
      #"{"annotations":[{"id":1,"image_id":2,"caption":"first"},{"id":2,"image_id":2,"caption":"second"}]}"#,
      to: "coco/annotations/captions_train.json")
  }

  @Test func whatCOCOHoldsOddlyIsTakenOrNamed() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try writeCOCO(folder)
    let faults = try run(folder, .init(format: .coco, path: folder["coco"]))
    let expected = [
      ("annotation 5", "encloses no pixel"), ("annotation 6", "three corners"),
      ("small.png", "has 6 x 4 pixels, expected 6 x 5"), ("none.png", "not there"),
      ("image 5", "leads out of the folder"), ("text.jpg", "neither a PNG nor a JPEG"),
    ]
    #expect(faults.count == expected.count, "\(faults)")
    for (fault, (place, problem)) in zip(faults, expected) {
      #expect(fault.place.contains(place) && fault.problem.contains(problem), "\(fault)")
      #expect(!"\(fault)".contains("\n"))
    }
    let imported = try RunContents.open(path: folder["imported"])
    #expect(imported.classes.entries.map(\.name) == ["thing", "large", "thing (90)"])
    #expect(imported.classes.entries.map(\.id) == [1, 2, 3])
    var masks: [[UInt16]] = []
    var prompts: [String] = []
    try imported.forEachSample {
      let mask = try imported.mask(of: $0)
      masks.append(mask?.ids ?? [])
      prompts.append($0.record.prompt)
    }
    // The small object lies on the large one, that on the crowd.
    let i = LabelMask.ignored
    #expect(
      masks
        == [
          [2, 2, 2, 2, 2, i, 2, 2, 1, 1, 2, i, 2, 2, 1, 1, 2, i, 2, 2, 2, 2, 2, i],
          [0, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ])
    #expect(prompts == ["", "first"])
  }

  @Test func oneFileOfAnnotationsAndAFolderOfPicturesDo() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try writeCOCO(folder)
    let file = folder["coco/annotations/instances_train.json"]
    try run(folder, .init(format: .coco, path: file))
    try FileManager.default.moveItem(
      atPath: folder["coco/images/train"], toPath: folder["elsewhere"])
    try FileManager.default.moveItem(atPath: file, toPath: folder["my.json"])
    let faults = try run(
      folder, .init(format: .coco, path: folder["my.json"], images: folder["elsewhere"]),
      to: "other")
    #expect(faults.count == 6)
    let (first, second) = (try folder.files("imported/shards"), try folder.files("other/shards"))
    #expect(first.keys.sorted() == second.keys.sorted())
  }

  /// A VOC set of good and bad pictures.
  private func writeVOC(_ folder: TemporaryFolder) throws {
    let root = "voc/VOCdevkit/VOC2007"
    let image = try PixelImage(width: 3, height: 2, filledWith: Colour(9, 99, 199))
    for name in ["ok", "grey", "wide", "rgb", "class", "nomask", "damaged", "Ok"] {
      try folder.write(JPEGCodec.encode(image, quality: 95), to: "\(root)/JPEGImages/\(name).jpg")
    }
    let mask = try LabelMask(width: 3, height: 2, ids: [0, 1, 20, 65535, 0, 0])
    for name in ["ok", "Ok", "noimage"] {
      try folder.write(
        PNGCodec.encode(mask, depth: .eight), to: "\(root)/SegmentationClass/\(name).png")
    }
    let grey = try PixelImage(width: 3, height: 2, channels: .grey, samples: [0, 1, 20, 255, 0, 0])
    try folder.write(PNGCodec.encode(grey), to: "\(root)/SegmentationClass/grey.png")
    try folder.write(
      PNGCodec.encode(mask, depth: .sixteen), to: "\(root)/SegmentationClass/wide.png")
    try folder.write(PNGCodec.encode(image), to: "\(root)/SegmentationClass/rgb.png")
    let stranger = try LabelMask(width: 3, height: 2, ids: [0, 21, 0, 0, 0, 0])
    try folder.write(
      PNGCodec.encode(stranger, depth: .eight), to: "\(root)/SegmentationClass/class.png")
    try folder.write(
      PNGCodec.encode(mask, depth: .eight).dropLast(20), to: "\(root)/SegmentationClass/damaged.png"
    )
    try folder.write(PNGCodec.encode(mask, depth: .eight), to: "secret.png")
    try FileManager.default.createSymbolicLink(
      atPath: folder["\(root)/SegmentationClass/link.png"],
      withDestinationPath: folder["secret.png"])
    try folder.write(
      "ok\ngrey\r\nwide\nrgb\nclass\n\nnomask\nnoimage\ndamaged\n../../../secret\n/etc/passwd\nOk\n",
      to: "\(root)/ImageSets/Segmentation/train.txt")
    try folder.write("link\nok\n", to: "\(root)/ImageSets/Segmentation/val.txt")
  }

  @Test func whatVOCHoldsOddlyIsTakenOrNamed() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try writeVOC(folder)
    let faults = try run(folder, .init(format: .voc, path: folder["voc"]))
    let expected = [
      ("train.txt", "\"../../../secret\" leads out"), ("train.txt", "\"/etc/passwd\" leads out"),
      ("class.png", "value 21"), ("damaged.png", "PNG"), ("link.png", "link"),
      ("noimage.jpg", "not there"), ("nomask.png", "No such file"), ("rgb.png", "palette or grey"),
    ]
    #expect(faults.count == expected.count, "\(faults)")
    for (fault, (place, problem)) in zip(faults, expected) {
      #expect(fault.place.hasSuffix(place) && fault.problem.contains(problem), "\(fault)")
    }
    let imported = try RunContents.open(path: folder["imported"])
    #expect(
      imported.classes.entries.count == 20 && imported.classes.entries[19].name == "tvmonitor")
    var names: [String] = []
    try imported.forEachSample { sample in
      names.append(sample.record.sources[0])
      let mask = try imported.mask(of: sample)
      #expect(mask?.ids == [0, 1, 20, 65535, 0, 0])
      #expect(sample.record.entities.map(\.name) == ["aeroplane", "tvmonitor"])
    }
    // Names that differ in case alone are two pictures, and their exports have two names everywhere.
    #expect(
      names.map { $0.split(separator: "/").last } == ["Ok.jpg", "grey.jpg", "ok.jpg", "wide.jpg"])
    try folder.export("imported", to: "set", .init(formats: ExportFormat.allCases))
    let paths = try folder.files("set").keys
    #expect(Set(paths.map { $0.lowercased() }).count == paths.count)
  }

  @Test func classesAreTheUsersOrTheSetsOwn() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try writeVOC(folder)
    try folder.write(
      (["_background_"] + (1...21).map { "class \($0)" }).joined(separator: "\r\n"),
      to: "voc/classes.txt")
    try run(folder, .init(format: .voc, path: folder["voc"]))
    #expect(
      try RunContents.open(path: folder["imported"]).classes.entries.map(\.name).last == "class 21")
    try folder.write("3\tcat\t\t-\n", to: "table.tsv")
    #expect {
      try run(
        folder, .init(format: .voc, path: folder["voc"], classes: folder["table.tsv"]), to: "none")
    } throws: { "\($0)".contains("pictures can be taken") }
    #expect(try folder.names().contains("none") == false)
  }

  @Test(arguments: [
    (ImportFormat.voc, "empty", "has no SegmentationClass"),
    (.coco, "empty", "has no annotations/instances_*.json"), (.coco, "none", "No such file"),
    (.voc, "none", "No such file"),
  ])
  func whatIsNoDataSetIsRefusedInOneLine(format: ImportFormat, name: String, part: String) throws {
    let folder = try TemporaryFolder(inMemory: true)
    try folder.write("x", to: "empty/x")
    #expect {
      try run(folder, .init(format: format, path: folder[name]))
    } throws: { "\($0)".contains(part) && !"\($0)".contains("\n") }
    #expect(try folder.names() == ["empty"])
  }

  @Test func aStoppedImportGoesOn() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun(count: 12, isUniform: true).write(to: folder["run"])
    try folder.export("run", to: "set", .init(formats: [.voc]))
    let place = ImportPlace(format: .voc, path: folder["set"])
    try run(folder, place, shardSize: 4)
    let whole = try folder.files("imported")
    for moment in [0, 3, 5, 10] {
      let reading = try DatasetImport(place)
      try reading.look { _ in
      } progress: { _ in
      }
      #expect(throws: Stop.self) {
        try reading.write(to: folder["stopped"], shardSize: 4, licence: nil, version: "test") {
          if $0 == moment { throw Stop() }
        }
      }
    }
    try run(folder, place, to: "stopped", shardSize: 4)
    #expect(try folder.files("stopped") == whole)
  }

  @Test func picturesOnTheirSideAreTakenAsTheirRegionsAre() throws {
    // A JPEG of 6 x 4 pixels whose Exif says that it is to be turned by a quarter.
    let folder = try TemporaryFolder(inMemory: true)
    let image = try PixelImage(
      width: 6, height: 4, channels: .rgb, samples: (0..<72).map { UInt8($0 * 3) })
    let plain = try JPEGCodec.encode(image, quality: 100)
    let exif: [UInt8] =
      [0xff, 0xe1, 0, 34] + Array("Exif\u{0}\u{0}MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1]
      + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0] + [0, 0, 0, 0]
    try folder.write(plain.prefix(2) + exif + plain.dropFirst(2), to: "images/turned.jpg")
    for (width, height) in [(6, 4), (4, 6)] {
      try folder.write(
        #"""
        {"images":[{"id":1,"width":\#(width),"height":\#(height),"file_name":"turned.jpg"}],
        "categories":[{"id":1,"name":"x"}],"annotations":[
        {"id":1,"image_id":1,"category_id":1,"segmentation":[[0,0,2,0,2,2,0,2]]}]}
        """#, to: "set\(width).json")
      #expect(
        try run(folder, .init(format: .coco, path: folder["set\(width).json"]), to: "run\(width)")
          .isEmpty)
      let imported = try RunContents.open(path: folder["run\(width)"])
      try imported.forEachSample { sample in
        let picture = try imported.image(of: sample)
        #expect(picture.width == width)
      }
    }
  }
}
