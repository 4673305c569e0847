import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

/// mmseg, ade, yolo and labelme: each gives the run's masks back.
@Suite struct LabelExportTests {
  private let folder: TemporaryFolder
  private let files: [String: [UInt8]]
  private let summary: DatasetExport.Summary

  init() throws {
    folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun(count: 60, shardSize: 20, promptSize: 1).write(to: folder["run"])
    summary = try folder.export(
      "run", to: "set", .init(formats: [.mmseg, .ade, .yolo, .labelme], imageFormat: .png))
    files = try folder.files("set")
  }

  /// Calls `body` with each sample's name and its mask in the data set's numbers.
  private func forEachMask(_ body: (String, LabelMask) throws -> Void) throws {
    let run = try RunContents.open(path: folder["run"])
    var count = 0
    try run.forEachSample { sample in
      guard sample.isAccepted else { return }
      var mask = try #require(try run.mask(of: sample))
      let ids = mask.ids
      mask.relabel { ids[$0] == 0 || ids[$0] == LabelMask.ignored ? ids[$0] : (ids[$0] + 1) / 2 }
      let digits = String(sample.record.index)
      try body(String(repeating: "0", count: 9 - digits.count) + digits, mask)
      count += 1
    }
    #expect(count == 55)
  }

  private func file(_ suffix: String) throws -> [UInt8] {
    try files.bytes(try #require(files.keys.first { $0.hasSuffix(suffix) }, "\(suffix)"))
  }

  @Test func masksAreGreyAndHaveTheRunsClasses() throws {
    try forEachMask { name, mask in
      let mmseg = try PNGCodec.decodeImage(
        files.bytes(
          try #require(
            files.keys.first { $0.hasPrefix("mmseg/ann_dir/") && $0.hasSuffix("\(name).png") })),
        keepsGrey: true)
      #expect(mmseg.pixels.channels == .grey && mmseg.palette.isEmpty)
      #expect(mmseg.pixels.samples == mask.ids.map { $0 == LabelMask.ignored ? 255 : UInt8($0) })
      let ade = try PNGCodec.decodeImage(
        files.bytes(
          try #require(
            files.keys.first { $0.hasPrefix("ade/annotations/") && $0.hasSuffix("\(name).png") })),
        keepsGrey: true)
      #expect(ade.pixels.samples == mask.ids.map { $0 == LabelMask.ignored ? 0 : UInt8($0) })
    }
    #expect(try files.text("mmseg/dataset_config.py").contains("reduce_zero_label=False"))
    #expect(try files.text("ade/dataset_config.py").contains("reduce_zero_label=True"))
    #expect(files.keys.contains { $0.hasPrefix("ade/images/validation/") })
  }

  @Test func rowsOfYOLOEncloseTheirInstances() throws {
    let parted = Set(
      try files.lines("yolo/differences.tsv").dropFirst().map { $0.split(separator: "\t") }
        .filter { $0[5] != "1" }.map { "\($0[0]) \($0[2])" })
    let names = try files.lines("classes.txt")
    var (exact, joined) = (0, 0)
    try forEachMask { name, mask in
      var found: [Int: [RunLengthEncoding]] = [:]
      var boxes: Set<[Int]> = []
      for row in String(decoding: try file("/\(name).txt"), as: UTF8.self).split(separator: "\n") {
        let words = row.split(separator: " ")
        let category = try #require(Int(words[0])) + 1
        let corners = try words.dropFirst().enumerated().map { place, word in
          try #require(Double(word)) * Double(place % 2 == 0 ? mask.width : mask.height)
        }
        #expect(words.count > 6 && corners.count % 2 == 0)
        let pixels = try RunLengthEncoding(
          polygon: corners, height: mask.height, width: mask.width, place: name)
        found[category, default: []].append(pixels)
        let box = pixels.box
        #expect(
          boxes.insert([category, box.x, box.y, box.width, box.height]).inserted,
          "\(name): the loader drops rows of one class and rectangle")
      }
      #expect(Set(found.keys) == Set(mask.ids.filter { $0 != 0 && $0 != 65535 }.map(Int.init)))
      for (category, rows) in found where !parted.contains("\(name) \(names[category - 1])") {
        let expected = RunLengthEncoding(height: mask.height, width: mask.width) {
          Int(mask[$0, $1]) == category
        }
        #expect(rows.count == 1 && rows[0] == expected, "\(name), class \(category)")
        exact += 1
        if expected.runs.count > 30 { joined += 1 }
      }
    }
    #expect(exact > 50 && joined > 5)
    #expect(
      parted.isEmpty == false && summary.notes.contains { $0.contains("yolo/differences.tsv") })
    #expect(
      try files.text("yolo/data.yaml")
        == "train: images/train\nval: images/val\ntest: images/test\nnames:\n"
        + names.enumerated().map { "  \($0): \(JSONValue.string($1).text)\n" }.joined())
  }

  @Test func shapesOfLabelmeRebuildTheMask() throws {
    let names = try files.lines("classes.txt")
    try forEachMask { name, mask in
      let label = try JSONValue.parse(file("/\(name).json"))
      #expect(label["imagePath"]?.string == "\(name).png" && label["imageData"] == .null)
      #expect(label["imageWidth"]?.integer == mask.width)
      var ids = [UInt16](repeating: 0, count: mask.ids.count)
      for shape in try #require(label["shapes"]?.elements) {
        let points = try #require(shape["points"]?.elements).map {
          $0.elements?.compactMap(\.integer) ?? []
        }
        let text = try #require(shape["mask"]?.string)
        let data = try #require(Data(base64Encoded: text))
        let crop = try PNGCodec.decodeImage(Array(data), keepsGrey: true).pixels
        #expect(crop.width == points[1][0] - points[0][0] + 1)
        #expect(crop.height == points[1][1] - points[0][1] + 1)
        let label = try #require(shape["label"]?.string)
        let id =
          label == "__ignore__" ? 65535 : UInt16(try #require(names.firstIndex(of: label)) + 1)
        for (place, value) in crop.samples.enumerated() where value > 0 {
          let (y, x) = place.quotientAndRemainder(dividingBy: crop.width)
          ids[(points[0][1] + y) * mask.width + points[0][0] + x] = id
        }
      }
      #expect(ids == mask.ids, "\(name)")
    }
  }

  @Test func theQualityOfPicturesIsChosenAndMasksAreNeverJPEG() throws {
    var sizes: [Int] = []
    for quality in [20, 95] {
      let name = "q\(quality)"
      try folder.export("run", to: name, .init(formats: [.mmseg], jpegQuality: quality))
      let files = try folder.files(name)
      sizes.append(files.filter { $0.key.hasSuffix(".jpg") }.reduce(0) { $0 + $1.value.count })
      #expect(!files.keys.contains { $0.contains("ann_dir") && !$0.hasSuffix(".png") })
      #expect(try files.json("manifest.json")["jpeg_quality"]?.integer == quality)
    }
    #expect(sizes[0] < sizes[1])
  }

  @Test func whatALayoutCannotHoldIsSaid() throws {
    let export = try DatasetExport(
      RunContents.open(path: folder["run"]), options: .init(formats: ExportFormat.allCases))
    for format in [ExportFormat.voc, .coco, .mmseg, .ade, .yolo] {
      #expect(export.notes.contains { $0.hasPrefix(format.rawValue) && $0.contains("no room for") })
    }
  }
}
