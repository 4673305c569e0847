import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct VOCExportTests {
  private let run = SyntheticRun()
  private let root = "VOCdevkit/VOC2012/"

  private func exported(_ options: ExportOptions = .init(formats: [.voc])) throws -> [String:
    [UInt8]]
  {
    let folder = try TemporaryFolder(inMemory: true)
    try run.write(to: folder["run"])
    try folder.export("run", to: "set", options)
    return try folder.files("set")
  }

  private var accepted: [Int] { (0..<run.count).filter { !run.isRejected($0) } }

  @Test func everyAcceptedSampleHasItsFourFilesAndNoOther() throws {
    let files = try exported()
    for (place, suffix) in [
      ("JPEGImages", "jpg"), ("SegmentationClass", "png"), ("SegmentationObject", "png"),
      ("Annotations", "xml"),
    ] {
      let found = files.keys.filter { $0.hasPrefix("\(root)\(place)/") }.sorted()
      #expect(
        found == accepted.map { "\(root)\(place)/\(ExportSample.name(of: $0)).\(suffix)" })
    }
  }

  @Test func masksAreTheRunsMasksInThePaletteWithClassesFromOne() throws {
    let files = try exported()
    for index in accepted {
      let (_, image, mask) = try run.sample(index)
      let name = ExportSample.name(of: index)
      let contents = try PNGCodec.decodeMask(files.bytes("\(root)SegmentationClass/\(name).png"))
      let expected = try #require(mask).ids.map { id in
        id == 0 || id == LabelMask.ignored ? id : (id + 1) / 2
      }
      #expect(contents.pixels.ids == expected)
      #expect(contents.palette == Palette.voc)
      #expect(contents.palette.count == 256)
      #expect(contents.texts.isEmpty)
      let objects = try PNGCodec.decodeMask(files.bytes("\(root)SegmentationObject/\(name).png"))
      #expect(
        zip(objects.pixels.ids, expected).allSatisfy { object, id in
          (object == 0) == (id == 0)
            && (object == LabelMask.ignored) == (id == LabelMask.ignored)
        })
      let numbers = Set(objects.pixels.ids).subtracting([0, LabelMask.ignored]).sorted()
      #expect(numbers == (0..<numbers.count).map { UInt16($0 + 1) })
      let jpeg = try files.bytes("\(root)JPEGImages/\(name).jpg")
      #expect(jpeg.prefix(3) == [0xff, 0xd8, 0xff] && jpeg.suffix(2) == [0xff, 0xd9])
      let decoded = try JPEGCodec.decode(jpeg)
      #expect(decoded.width == image.width && decoded.height == image.height)
    }
  }

  @Test func listsDivideTheSamples() throws {
    let files = try exported()
    for folder in ["Segmentation", "Main"] {
      func list(_ name: String) throws -> [String] {
        try files.lines("\(root)ImageSets/\(folder)/\(name).txt")
      }
      let (train, val, test) = (try list("train"), try list("val"), try list("test"))
      #expect(try list("trainval") == (train + val).sorted())
      #expect((train + val + test).sorted() == accepted.map(ExportSample.name))
      #expect([train, val, test].allSatisfy { $0 == $0.sorted() && !$0.isEmpty })
    }
  }

  @Test func boxesCountFromOneAndNamesAreEscaped() throws {
    let files = try exported()
    var names: Set<String> = []
    for index in accepted {
      let (record, _, mask) = try run.sample(index)
      let map = try InstanceMap(try #require(mask), division: .entity, place: "mask")
      let text = try files.text("\(root)Annotations/\(ExportSample.name(of: index)).xml")
      #expect(texts("width", in: text) == ["\(record.width)"])
      #expect(texts("height", in: text) == ["\(record.height)"])
      #expect(texts("depth", in: text) == ["3"])
      #expect(texts("xmin", in: text) == map.instances.map { "\($0.box.x + 1)" })
      #expect(texts("ymin", in: text) == map.instances.map { "\($0.box.y + 1)" })
      #expect(texts("xmax", in: text) == map.instances.map { "\($0.box.x + $0.box.width)" })
      #expect(texts("ymax", in: text) == map.instances.map { "\($0.box.y + $0.box.height)" })
      let classes = try run.classes().entries
      let expected = map.instances.compactMap { instance in
        classes.first { $0.id == instance.category }?.name
      }
      #expect(texts("name", in: text) == expected)
      names.formUnion(expected)
      let opened = text.components(separatedBy: "<").count - 1
      #expect(text.components(separatedBy: "</").count - 1 == opened / 2)
    }
    #expect(names.contains("\u{732b} & <cat>"))
  }

  @Test func picturesAreJPEGWhateverIsAskedFor() throws {
    let png = try exported(.init(formats: [.voc], imageFormat: .png))
    let jpeg = try exported(.init(formats: [.voc], imageFormat: .jpeg))
    let name = "\(root)JPEGImages/000000000.jpg"
    #expect(try png.bytes(name) == jpeg.bytes(name))
  }

  @Test(arguments: [254, 255])
  func classesMustFitEightBits(count: Int) throws {
    let folder = try TemporaryFolder(inMemory: true)
    let run = SyntheticRun(count: 8, shardSize: 8, classCount: count, isUniform: true)
    try run.write(to: folder["run"])
    let options = ExportOptions(formats: [.coco, .voc])
    if count <= 254 {
      let summary = try folder.export("run", to: "set", options)
      #expect(summary.samples == 7)
    } else {
      #expect {
        try folder.export("run", to: "set", options)
      } throws: { error in
        (error as? ExportError)?.code == .malformed && "\(error)".contains("255 classes")
      }
      #expect(try folder.names() == ["run"])
    }
  }

  /// The texts of all elements of a name, with the escapes undone.
  private func texts(_ name: String, in xml: String) -> [String] {
    xml.components(separatedBy: "<\(name)>").dropFirst().compactMap { part in
      part.components(separatedBy: "</\(name)>").first?
        .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    }
  }
}
