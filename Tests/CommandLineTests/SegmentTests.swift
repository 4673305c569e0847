import CanonicalJSON
import Checkpoints
import Foundation
import Imaging
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

/// `triptych segment` on pictures, from outside, on tiny segmenters with random weights.
@Suite(.serialized) struct SegmentTests {
  @Test(arguments: TinySegmenter.allCases)
  func masksOverlaysAndTheListAgree(_ architecture: TinySegmenter) async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, architecture)
      let result = try here.result(try await here.run())
      #expect(result["text_encoded"] == 3 && result["pictures"] == 1)
      #expect(
        result["evaluated_classes"] == (architecture == .sed ? [3, 3, 3] : [3]))
      #expect(result["architecture"]?.string == architecture.rawValue)
      let contents = try PNGCodec.decodeMask(try here.bytes("out/dog.png"))
      let mask = contents.pixels
      #expect(mask.width == 70 && mask.height == 41 && contents.palette == Palette.voc)
      let overlay = try PNGCodec.decodeImage(try here.bytes("out/dog.overlay.png")).pixels
      #expect(overlay.width == 70 && overlay.height == 41)
      let lines = try here.lines()
      #expect(lines.map { $0["label"]?.string } == ["dog", "sky", "other"])
      #expect(lines.map { $0["id"]?.integer } == [1, 2, 0])
      for line in lines {
        let id = try #require(line["id"]?.integer)
        let share = Double(mask.ids.count { Int($0) == id }) / Double(70 * 41)
        #expect(line["share"]?.number == share && line["image"]?.string == folder + "/dog.png")
        let mean = try #require(line["mean_probability"]?.number)
        #expect(share == 0 ? mean == 0 : mean > 0 && mean <= 1)
      }
    }
  }

  @Test(arguments: TinySegmenter.allCases)
  func theOrderOfLabelsChangesNothing(_ architecture: TinySegmenter) async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, architecture)
      let labels = ["dog", "pet", "sky=heaven|clouds", "stone", "other"]
      for (output, order) in [("a", [0, 1, 2, 3, 4]), ("b", [3, 0, 4, 2, 1])] {
        let given = order.map { labels[$0] }.joined(separator: ",")
        #expect(try await here.run(given, to: output).code == 0)
      }
      func found(_ output: String) throws -> [String: [JSONValue?]] {
        Dictionary(
          uniqueKeysWithValues: try here.lines(output).map {
            ($0["label"]?.string ?? "", [$0["share"], $0["mean_probability"]])
          })
      }
      #expect(try found("a") == found("b"))
      func names(_ output: String) throws -> [String?] {
        let names = Dictionary(
          uniqueKeysWithValues: try here.lines(output).map {
            (UInt16($0["id"]?.integer ?? 99), $0["label"]?.string)
          })
        return try here.mask(output + "/dog.png").ids.map { names[$0] ?? nil }
      }
      #expect(try names("a") == names("b"))
    }
  }

  @Test(arguments: TinySegmenter.allCases)
  func textsAreEncodedOnce(_ architecture: TinySegmenter) async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, architecture)
      func encoded(
        _ output: String, _ labels: String = "dog,sky,other"
      ) async throws -> JSONValue? {
        try here.result(try await here.run(labels, to: output))["text_encoded"]
      }
      let four = "sky,dog,cat,other"
      #expect(try await encoded("a") == 3)
      #expect(try await encoded("b") == 0)
      #expect(try await encoded("c", four) == 1)
      #expect(try here.bytes("a/dog.png") == here.bytes("b/dog.png"))
      // Damaged in its numbers, and cut short.
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder + "/cache")
        .filter { $0.hasSuffix(".safetensors") }.sorted()
      #expect(names.count == 4)
      for (number, name) in names.prefix(2).enumerated() {
        var bytes = Data(try here.bytes("cache/" + name))
        if number == 0 { bytes[bytes.count - 2] ^= 0x15 } else { bytes.removeLast(9) }
        try bytes.write(to: URL(fileURLWithPath: "\(folder)/cache/\(name)"))
      }
      #expect(try await encoded("d", four) == 2)
      #expect(try await encoded("e", four) == 0)
      #expect(try here.bytes("c/dog.png") == here.bytes("e/dog.png"))
    }
  }

  @Test func withoutACacheEverythingIsEncodedAndNothingKept() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      for (more, expected) in [(["--no-text-cache"], [3, 3]), ([], [3, 0])] as [([String], [Int])] {
        for count in expected {
          let outcome = try await Program.run(
            ["segment", folder + "/dog.png", "--labels", "dog,sky,other", "--json", "--output"]
              + ["\(folder)/\(more.count)\(count)"] + here.options + more,
            environment: ["XDG_CACHE_HOME=\(folder)/xdg"])
          #expect(try here.result(outcome)["text_encoded"]?.integer == count)
        }
        #expect(
          FileManager.default.fileExists(atPath: folder + "/xdg/triptych/text") == more.isEmpty)
      }
    }
  }

  @Test(arguments: TinySegmenter.allCases)
  func groupsOfLabelsThreadsAndTheFilesFormatChangeNothing(
    _ architecture: TinySegmenter
  ) async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, architecture)
      let labels = "dog,pet,sky,stone,grass,water,other"
      for (output, more) in [
        ("all", ["--class-chunk", "all"]), ("one", ["--class-chunk", "1", "--threads", "1"]),
        ("three", ["--class-chunk", "3", "--threads", "2"]),
      ] {
        #expect(try await here.run(labels, to: output, more).code == 0)
        #expect(try here.bytes(output + "/dog.png") == here.bytes("all/dog.png"))
      }
      let all = try here.lines("all")
      for (one, other) in zip(all, try here.lines("three")) {
        let difference =
          (one["mean_probability"]?.number ?? 0) - (other["mean_probability"]?.number ?? 9)
        #expect(abs(difference) < 1e-5)
      }
      let pickled = try Segmenting(folder, architecture, pickled: true)
      let result = try pickled.result(
        try await pickled.run(labels, to: "pickled", ["--architecture", architecture.rawValue]))
      #expect(result["text_encoded"] == 7)
      #expect(try here.bytes("pickled/segments.jsonl") == here.bytes("all/segments.jsonl"))
    }
  }

  @Test func rejectedLabelsAreCountedByStage() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .sed)
      let labels = "dog,pet,sky,stone,grass,water,tree,other"
      let result = try here.result(
        try await here.run(labels, ["--early-rejection", "1"]))
      let stages = try #require(result["evaluated_classes"]?.elements).compactMap(\.integer)
      #expect(stages.count == 3 && stages == stages.sorted(by: >) && stages[0] < 8)
      // What was rejected first covers nothing.
      let lines = try here.lines()
      #expect(lines.count { ($0["share"]?.number ?? 1) > 0 } <= stages[2])
    }
  }

  @Test func aTableGivesIDsAndColoursAndAFileOfLinesSynonyms() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      let table = folder + "/classes.tsv"
      try Data("7\tdog\tpuppy\t#102030\t-\n300\tsky\t\t#405060\tseen\n".utf8)
        .write(to: URL(fileURLWithPath: table))
      var result = try here.result(
        try await here.run(table, ["--labels", "other"]))
      #expect(result["labels"] == 3)
      #expect(try here.lines().map { $0["id"]?.integer } == [7, 300, 0])
      // Above 254: 16 bits.
      #expect(Set(try here.mask().ids).isSubset(of: [0, 7, 300]))
      let list = folder + "/list.txt"
      try Data("# what there is\ndog, puppy\nsky\n\n".utf8).write(to: URL(fileURLWithPath: list))
      result = try here.result(try await here.run(list, to: "lines"))
      #expect(try here.lines("lines").map { $0["label"]?.string } == ["dog, puppy", "sky"])
      try Data("[\"dog, puppy\", \"sky\"]".utf8).write(
        to: URL(fileURLWithPath: folder + "/list.json"))
      _ = try here.result(try await here.run(folder + "/list.json", to: "json"))
      #expect(try here.bytes("json/segments.jsonl") == here.bytes("lines/segments.jsonl"))
      result = try here.result(try await here.run("dog=puppy,sky", to: "comma"))
      #expect(try here.mask("comma/dog.png") == here.mask("lines/dog.png"))
      result = try here.result(try await here.run("voc", to: "voc"))
      #expect(result["labels"] == 20)
    }
  }

  @Test func aTurnedPhotographIsSegmentedUpright() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      let photo = Fixture.folder.appendingPathComponent("imaging/orientation6.jpg").path
      #expect(try await here.run(images: [photo]).code == 0)
      let upright = try ImageFile.read(photo)
      let mask = try here.mask("out/orientation6.png")
      #expect(mask.width == upright.width && mask.height == upright.height)
    }
  }

  @Test(arguments: TinySegmenter.allCases)
  func segmentersAreTimed(_ architecture: TinySegmenter) async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, architecture)
      func bench(_ more: [String]) async throws -> Program.Outcome {
        try await Program.run(
          ["bench", "--part", architecture.rawValue, "--size", "64", "--repeat", "1", "--json"]
            + more)
      }
      let model = ["--model", here.model, "--labels", "5", "--class-chunk", "2"]
      let result = try here.result(try await bench(model))
      #expect(result["part"]?.string == architecture.rawValue && result["size"] == 64)
      #expect((result["median"]?.number ?? 0) > 0 && result["seconds"]?.elements?.count == 1)
      expectRefusal(
        try await bench(["--model", here.model, "--size", "65"]), code: 64,
        saying: "multiple of 32")
      #expect(try await bench([]).code == 64)
      let rejecting = try await bench(model + ["--early-rejection", "1"])
      #expect(rejecting.code == (architecture == .sed ? 0 : 64), "\(rejecting.error)")
    }
  }
}
