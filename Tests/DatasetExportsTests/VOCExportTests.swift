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
    let folder = try TemporaryFolder()
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
      let map = try InstanceMap(#require(mask), division: .entity, place: "mask")
      let text = try files.text("\(root)Annotations/\(ExportSample.name(of: index)).xml")
      let delegate = ElementCollector()
      let parser = XMLParser(data: Data(text.utf8))
      parser.delegate = delegate
      #expect(parser.parse(), "\(text)")
      #expect(delegate.values["annotation/size/width"] == ["\(record.width)"])
      #expect(delegate.values["annotation/size/height"] == ["\(record.height)"])
      #expect(delegate.values["annotation/size/depth"] == ["3"])
      let box = "annotation/object/bndbox/"
      #expect(
        delegate.values[box + "xmin"] ?? [] == map.instances.map { "\($0.box.x + 1)" })
      #expect(
        delegate.values[box + "ymax"] ?? [] == map.instances.map { "\($0.box.y + $0.box.height)" })
      let classes = try run.classes().entries
      let expected = map.instances.map { instance in
        classes.first { $0.id == instance.category }?.name
      }
      #expect(delegate.values["annotation/object/name"] ?? [] == expected.compactMap { $0 })
      names.formUnion(delegate.values["annotation/object/name"] ?? [])
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
    let folder = try TemporaryFolder()
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
}

/// The texts of an XML file by the path of their elements.
private final class ElementCollector: NSObject, XMLParserDelegate {
  var values: [String: [String]] = [:]
  private var path: [String] = []
  private var text = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    path.append(name)
    text = ""
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    values[path.joined(separator: "/"), default: []].append(text)
    path.removeLast()
    text = ""
  }
}
