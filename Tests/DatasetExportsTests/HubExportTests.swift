import CanonicalJSON
import DatasetExports
import DatasetFormat
import Imaging
import TestSupport
import Testing

/// imagefolder, Parquet, WebDataset and Croissant.
@Suite struct HubExportTests {
  private func exported(_ run: SyntheticRun, _ options: ExportOptions) throws -> [String: [UInt8]] {
    let folder = try TemporaryFolder(inMemory: true)
    try run.write(to: folder["run"])
    try folder.export("run", to: "set", options)
    return try folder.files("set")
  }

  @Test func linesOfImagefolderHaveOneTypeEachAndFilesThatAreThere() throws {
    let files = try exported(SyntheticRun(), .init(formats: [.imagefolder]))
    var count = 0
    for split in ["train", "validation", "test"] {
      for line in try files.lines("imagefolder/\(split)/metadata.jsonl") {
        let row = try JSONValue.parse(Array(line.utf8))
        #expect(row.members?.allSatisfy { $0.value.string != nil } == true)
        for key in ["file_name", "mask_file_name", "instances_file_name"] {
          let name = try #require(row[key]?.string)
          #expect(files["imagefolder/\(split)/\(name)"] != nil)
        }
        count += 1
      }
    }
    #expect(count == 22)
  }

  @Test func parquetHoldsTheFilesOfImagefolder() throws {
    let run = SyntheticRun(count: 260, shardSize: 100, promptSize: 1, isUniform: true)
    let files = try exported(
      run, .init(formats: [.imagefolder, .parquet], shares: try #require(SplitShares("100,0,0"))))
    let file = try files.bytes("parquet/train-00000-of-00001.parquet")
    let metadata = try #require(ParquetFooter.metadata(file))
    let names = metadata[2]?.list.compactMap { $0[4]?.text }
    #expect(
      names == [
        "schema", "image", "bytes", "path", "mask", "bytes", "path", "instances", "bytes", "path",
        "name", "prompt", "seed",
      ])
    let entry = try #require(metadata[5]?[0])
    #expect(entry[1]?.text == "huggingface")
    let features = try JSONValue.parse(Array(try #require(entry[2]?.text).utf8))["info"]?[
      "features"]
    #expect(features?["mask"] == ["_type": "Image"])
    let groups = try #require(metadata[4]?.list)
    #expect(groups.compactMap { $0[3]?.number } == [100, 100, 36])
    #expect(metadata[3]?.number == 236)
    let lines = try files.lines("imagefolder/train/metadata.jsonl")
    var row = 0
    for group in groups {
      let columns = try #require(group[1]?.list).map { ParquetFooter.values(file, chunk: $0) }
      #expect(Set(columns.map(\.count)) == [try #require(group[3]?.number)])
      for place in columns[0].indices {
        let line = try JSONValue.parse(Array(lines[row].utf8))
        row += 1
        for (column, key) in [(0, "file_name"), (2, "mask_file_name"), (4, "instances_file_name")] {
          let name = try #require(line[key]?.string)
          #expect(try columns[column][place] == files.bytes("imagefolder/train/\(name)"))
        }
        #expect(columns[7][place] == Array(try #require(line["prompt"]?.string).utf8))
      }
    }
  }

  @Test func shardsAreTarFilesOfAdjacentMembers() throws {
    let files = try exported(SyntheticRun(), .init(formats: [.webdataset], imageFormat: .png))
    var samples = 0
    for (path, bytes) in files where path.hasSuffix(".tar") {
      #expect(bytes.count % 10_240 == 0)
      var place = 0
      var members: [String] = []
      while bytes[place] != 0 {
        let name = String(decoding: bytes[place..<place + 100].prefix { $0 != 0 }, as: UTF8.self)
        let size = try #require(
          Int(String(decoding: bytes[place + 124..<place + 135], as: UTF8.self), radix: 8))
        var header = Array(bytes[place..<place + 512])
        let sum = try #require(
          Int(String(decoding: header[148..<154], as: UTF8.self), radix: 8))
        header.replaceSubrange(148..<156, with: Array(repeating: 0x20, count: 8))
        #expect(header.reduce(0) { $0 + Int($1) } == sum)
        #expect(header[136..<147].allSatisfy { $0 == UInt8(ascii: "0") })
        members.append(name)
        place += 512 + (size + 511) / 512 * 512
      }
      #expect(bytes[place...].allSatisfy { $0 == 0 } && bytes.count - place >= 1024)
      let suffixes = ["instances.png", "json", "mask.png", "png", "txt"]
      for start in stride(from: 0, to: members.count, by: 5) {
        let stem = String(members[start].prefix { $0 != "." })
        #expect(Array(members[start..<start + 5]) == suffixes.map { "\(stem).\($0)" })
        samples += 1
      }
    }
    #expect(samples == 22)
  }

  @Test func croissantStatesTheHashOfEveryParquetFile() throws {
    let files = try exported(SyntheticRun(), .init(formats: [.croissant]))
    let document = try files.json("croissant.json")
    let objects = try #require(document["distribution"]?.elements).filter {
      $0["@type"] == "cr:FileObject"
    }
    let parquet = files.keys.filter { $0.hasSuffix(".parquet") }.sorted()
    #expect(objects.compactMap { $0["contentUrl"]?.string } == parquet && parquet.count == 3)
    for object in objects {
      let bytes = try files.bytes(try #require(object["contentUrl"]?.string))
      #expect(object["sha256"]?.string == ContentHash.sha256(bytes))
      #expect(object["contentSize"]?.string == "\(bytes.count) B")
    }
    #expect(
      try files.text("README.md").contains(
        "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: \"parquet/"))
  }

  @Test func masksOfManyClassesHaveSixteenBits() throws {
    let run = SyntheticRun(count: 12, shardSize: 12, classCount: 300, promptSize: 1)
    let folder = try TemporaryFolder(inMemory: true)
    try run.write(to: folder["run"])
    let formats: [ExportFormat] = [.coco, .imagefolder, .parquet, .webdataset, .yolo, .labelme]
    try folder.export("run", to: "set", .init(formats: formats))
    let files = try folder.files("set")
    let contents = try RunContents.open(path: folder["run"])
    var seen = 0
    try contents.forEachSample { sample in
      guard sample.isAccepted else { return }
      let name =
        String(repeating: "0", count: 7) + (sample.record.index < 10 ? "0" : "")
        + "\(sample.record.index)"
      let path = try #require(files.keys.first { $0.hasSuffix("/masks/\(name).png") })
      let bytes = try files.bytes(path)
      #expect(bytes[24] == 16, "bits of a sample, from the PNG's header")
      let mask = try PNGCodec.decodeMask(bytes).pixels
      let original = try #require(try contents.mask(of: sample))
      // The drawn run's classes are 1, 3, 5, …
      #expect(mask.ids == original.ids.map { $0 == 0 || $0 == 65535 ? $0 : ($0 + 1) / 2 })
      seen += 1
    }
    #expect(seen > 10)
    for format in [ExportFormat.voc, .mmseg, .ade] {
      #expect {
        try folder.export("run", to: "other", .init(formats: [format]))
      } throws: { "\($0)".contains("300 classes; \(format.rawValue) masks have 8 bits") }
    }
  }
}
