import CanonicalJSON
import DatasetExports
import DatasetFormat
import Imaging
import TestSupport
import Testing

@Suite struct COCOExportTests {
  private let run = SyntheticRun()

  private func exported(
    _ options: ExportOptions = .init(formats: [.coco], licence: "CC0 \"1.0\"")
  ) throws -> [String: [UInt8]] {
    let folder = try TemporaryFolder(inMemory: true)
    try run.write(to: folder["run"])
    try folder.export("run", to: "set", options)
    return try folder.files("set")
  }

  private func entries(_ files: [String: [UInt8]], _ kind: String, _ list: String) throws
    -> [(split: String, entry: JSONValue)]
  {
    try ["train", "val", "test"].flatMap { split in
      let name = kind.replacing("SPLIT", with: split)
      let document = try files.json("annotations/\(name).json")
      let elements = try #require(document[list]?.elements)
      return elements.map { (split, $0) }
    }
  }

  @Test func imagesAreTheAcceptedSamplesWithTheirPrompts() throws {
    let files = try exported()
    for kind in [
      "instances_SPLIT", "instances_SPLIT_polygons", "captions_SPLIT", "panoptic_SPLIT",
    ] {
      var ids: [Int] = []
      for (split, image) in try entries(files, kind, "images") {
        let id = try #require(image["id"]?.integer)
        ids.append(id)
        let (record, _, _) = try run.sample(id - 1)
        #expect(image["width"]?.integer == record.width)
        #expect(image["height"]?.integer == record.height)
        #expect(image["prompt"]?.string == record.prompt)
        let name = try #require(image["file_name"]?.string)
        #expect(files["images/\(split)/\(name)"] != nil)
      }
      #expect(ids.sorted() == (0..<run.count).filter { !run.isRejected($0) }.map { $0 + 1 })
    }
    let instances = try files.json("annotations/instances_train.json")
    #expect(instances["licenses"]?.elements?.first?["name"] == "CC0 \"1.0\"")
    let categories = try #require(instances["categories"]?.elements)
    #expect(categories.compactMap { $0["id"]?.integer } == Array(1...5))
    #expect(categories.compactMap { $0["name"]?.string } == (try run.classes().entries.map(\.name)))
    for (_, caption) in try entries(files, "captions_SPLIT", "annotations") {
      let (record, _, _) = try run.sample(try #require(caption["image_id"]?.integer) - 1)
      #expect(caption["caption"]?.string == record.prompt)
    }
  }

  @Test func runsAreTheMasksPixelForPixel() throws {
    var ids: Set<Int> = []
    for (_, annotation) in try entries(exported(), "instances_SPLIT", "annotations") {
      let id = try #require(annotation["id"]?.integer)
      let image = try #require(annotation["image_id"]?.integer)
      #expect(ids.insert(id).inserted)
      #expect(id / 256 == image && id % 256 > 0)
      let (_, _, drawn) = try run.sample(image - 1)
      let mask = try #require(drawn)
      let text = try #require(annotation["segmentation"]?["counts"]?.string)
      let size = annotation["segmentation"]?["size"]?.elements?.compactMap(\.integer)
      #expect(size == [mask.height, mask.width])
      let runs = try RunLengthEncoding(
        compressed: text, height: mask.height, width: mask.width, place: "annotation")
      let classID = 2 * (try #require(annotation["category_id"]?.integer)) - 1
      #expect(runs.pixels == mask.ids.map { Int($0) == classID })
      #expect(annotation["area"]?.integer == runs.area && runs.area > 0)
      let box = runs.box
      #expect(
        annotation["bbox"]?.elements?.compactMap(\.integer) == [
          box.x, box.y, box.width, box.height,
        ])
      #expect(annotation["iscrowd"] == 0)
    }
    #expect(ids.count > 20)
  }

  @Test func outlinesStandOnlyWhereTheyAreTrueEnough() throws {
    let files = try exported()
    let exact = try entries(files, "instances_SPLIT", "annotations").map(\.entry)
    let outlined = try entries(files, "instances_SPLIT_polygons", "annotations").map(\.entry)
    #expect(exact.map { $0["id"] } == outlined.map { $0["id"] })
    var polygons = 0
    for (one, other) in zip(exact, outlined) {
      guard let list = other["segmentation"]?.elements else {
        #expect(one == other)
        continue
      }
      polygons += 1
      let area = try #require(one["area"]?.number)
      #expect(area / (try #require(other["area"]?.number)) >= 0.995)
      #expect(one["bbox"] == other["bbox"])
      #expect(list.allSatisfy { ($0.elements?.count ?? 0) >= 8 })
    }
    #expect(polygons > 5 && polygons < exact.count)
  }

  @Test func panopticColoursAreItsSegments() throws {
    let files = try exported()
    for (split, annotation) in try entries(files, "panoptic_SPLIT", "annotations") {
      let image = try #require(annotation["image_id"]?.integer)
      let name = try #require(annotation["file_name"]?.string)
      let picture = try PNGCodec.decodeImage(
        files.bytes("annotations/panoptic_\(split)/\(name)")
      ).pixels
      var categories: [Int: Int] = [:]
      for segment in annotation["segments_info"]?.elements ?? [] {
        categories[try #require(segment["id"]?.integer)] = segment["category_id"]?.integer
      }
      let mask = try #require(try run.sample(image - 1).2)
      var seen: Set<Int> = []
      for place in mask.ids.indices {
        let id =
          Int(picture.samples[3 * place]) + 256 * Int(picture.samples[3 * place + 1]) + 65536
          * Int(picture.samples[3 * place + 2])
        let isIgnored = mask.ids[place] == LabelMask.ignored
        let classID = Int(mask.ids[place])
        let expected = classID == 0 ? 6 : (classID + 1) / 2
        #expect(id == 0 ? isIgnored : categories[id] == expected)
        if id != 0 { seen.insert(id) }
      }
      #expect(seen == Set(categories.keys))
    }
  }

  @Test func picturesAreStoredAsAsked() throws {
    let files = try exported(.init(formats: [.coco], imageFormat: .png))
    let pictures = files.filter { $0.key.hasPrefix("images/") }
    #expect(pictures.count == (0..<run.count).count { !run.isRejected($0) })
    for (path, bytes) in pictures {
      let index = try #require(Int(path.suffix(13).dropLast(4)))
      let contents = try PNGCodec.decodeImage(bytes)
      #expect(contents.pixels == (try run.sample(index).1))
      #expect(contents.texts.isEmpty)
    }
  }

  @Test func partsAreInstancesOfTheirOwnInEveryFile() throws {
    let files = try exported(.init(formats: [.coco], division: .parts))
    let whole = try exported()
    let parts = try entries(files, "instances_SPLIT", "annotations")
    let entities = try entries(whole, "instances_SPLIT", "annotations")
    #expect(parts.count > entities.count)
    func areas(_ list: [(split: String, entry: JSONValue)]) -> [String: Int] {
      list.reduce(into: [:]) { sums, one in
        let key = "\(one.entry["image_id"]?.text ?? "") \(one.entry["category_id"]?.text ?? "")"
        sums[key, default: 0] += one.entry["area"]?.integer ?? 0
      }
    }
    #expect(areas(parts) == areas(entities))
    let segments = try entries(files, "panoptic_SPLIT", "annotations").reduce(0) {
      let segments = $1.entry["segments_info"]?.elements ?? []
      return $0 + segments.count { $0["category_id"] != 6 }
    }
    #expect(segments == parts.count)
  }

  @Test func anEmptySplitIsAnEmptyFileThatReads() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let one = SyntheticRun(count: 4, shardSize: 4, promptSize: 4)
    try one.write(to: folder["run"])
    let export = try DatasetExport(
      RunContents.open(path: folder["run"]), options: .init(formats: [.coco]))
    #expect(export.notes.contains { $0.hasPrefix("val is empty") })
    try folder.export("run", to: "set", .init(formats: [.coco]))
    let files = try folder.files("set")
    let val = try files.json("annotations/instances_val.json")
    #expect(val["images"] == [] && val["annotations"] == [])
    #expect(try files.json("annotations/captions_train.json")["images"]?.elements?.count == 4)
  }
}
