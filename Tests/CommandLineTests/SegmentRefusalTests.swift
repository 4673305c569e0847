import CanonicalJSON
import Foundation
import Imaging
import TestSupport
import Testing

@Suite struct SegmentRefusalTests {
  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test func labelsThatCannotBeUsedAreRefusedByName() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      try write("", folder + "/empty.txt")
      try write("dog\nsky\nDog\n", folder + "/twice.txt")
      try write("3\tdog\t\t-\n3\tsky\t\t-\n", folder + "/ids.tsv")
      try write("{\"a\": 1}", folder + "/object.json")
      for (labels, code, part) in [
        ("dog", 64, "add \"other\""), ("", 64, "empty label"),
        (folder + "/empty.txt", 64, "no label"),
        ("dog,sky,dog", 64, "\"dog\" stands twice"),
        (folder + "/twice.txt", 64, "twice.txt:3: the label \"Dog\" stands twice, first in"),
        (folder + "/ids.tsv", 65, "the class id 3 occurs twice"),
        (folder + "/object.json", 65, "expected a list of names"),
        (folder + "/none.txt", 66, "there is no file"), ("dog,=x", 64, "expected a name"),
        ("dog,\u{200b}\u{7f}", 65, "control characters"),
      ] as [(String, Int32, String)] {
        expectRefusal(try await here.run(labels), code: code, saying: part)
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
    }
  }

  @Test func modelsTokenizersAndTemplatesThatDoNotFitAreRefused() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .sed)
      func refusal(_ code: Int32, _ part: String, _ change: ([String]) -> [String]) async throws {
        let outcome = try await Program.run(
          change(
            ["segment", folder + "/dog.png", "--labels", "dog,other", "--output", folder + "/out"]
              + here.options))
        expectRefusal(outcome, code: code, saying: part)
      }
      func with(_ option: String, _ value: String?) -> ([String]) -> [String] {
        { arguments in
          var arguments = arguments
          if let place = arguments.firstIndex(of: option) {
            arguments.removeSubrange(place...place + 1)
          }
          return arguments + (value.map { [option, $0] } ?? [])
        }
      }
      try await refusal(64, "openai/CLIP", with("--tokenizer", nil))
      try await refusal(66, "no such file", with("--tokenizer", folder + "/none"))
      try write("a b c\n", folder + "/merges.txt")
      try await refusal(65, "two pieces", with("--tokenizer", folder + "/merges.txt"))
      try await refusal(64, "made for 3", with("--templates", "none"))
      try await refusal(64, "made for 3", with("--templates", "imagenet80"))
      try await refusal(65, "cannot be used as it is", with("--templates", "scenes"))
      try await refusal(65, "checkpoint of SED", with("--architecture", "lseg"))
      try await refusal(65, "neither", with("--model", folder + "/dog.png"))
      try await refusal(66, "no such file", with("--model", folder + "/none"))
      try await refusal(
        65, "neither a checkpoint of LSeg nor of SED",
        with(
          "--model", Fixture.folder.appendingPathComponent("grounding/ours.safetensors").path))
      try await refusal(64, "multiple of 32", with("--input-size", "100"))
      try await refusal(64, "is LSeg's") { $0 + ["--multi-scale"] }
      try await refusal(64, "--class-pooling") { $0 + ["--class-pooling", "3"] }
      try await refusal(64, "--early-rejection") { $0 + ["--early-rejection", "0"] }
      #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
    }
  }

  @Test func picturesAndNamesThatClashAreRefusedBeforeAnyWork() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      try FileManager.default.createDirectory(
        atPath: folder + "/other", withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: folder + "/dog.png", toPath: folder + "/other/dog.png")
      let dog = folder + "/dog.png"
      expectRefusal(
        try await here.run(images: [dog, folder + "/other/dog.png"]), code: 64,
        saying: "would both become dog.png")
      expectRefusal(try await here.run(images: [dog, dog]), code: 64, saying: "given twice")
      expectRefusal(
        try await here.run(to: ".", images: [dog]), code: 64, saying: "would replace the picture")
      expectRefusal(
        try await here.run(images: [folder + "/none.png"]), code: 66, saying: "no such picture")
      try FileManager.default.createDirectory(
        atPath: folder + "/nothing", withIntermediateDirectories: true)
      expectRefusal(
        try await here.run(images: [folder + "/nothing"]), code: 66, saying: "no PNG or JPEG")
      #expect(try await here.run(images: []).code == 64)
      #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
      try write("no picture", folder + "/text.png")
      expectRefusal(
        try await here.run(images: [folder + "/text.png"]), code: 65,
        saying: "neither a PNG nor a JPEG")
      try write("a file", folder + "/file")
      expectRefusal(try await here.run(to: "file"), code: 73, saying: "/file")
    }
  }

  @Test func sidesOfOnePixelWorkAndOfTwentyThousandAreRefused() async throws {
    try await withFolder { folder in
      for architecture in TinySegmenter.allCases {
        let here = try Segmenting(folder, architecture)
        for (name, width, height) in [("dot", 1, 1), ("line", 1, 300), ("row", 700, 1)] {
          let path = try here.picture(name, width: width, height: height)
          let outcome = try await here.run(images: [path])
          #expect(outcome.code == 0, "\(outcome.error)")
          let mask = try here.mask("out/\(name).png")
          #expect(mask.width == width && mask.height == height)
        }
        var png = try here.bytes("dog.png")
        // IHDR's width; the sum behind it is not looked at before the size.
        png.replaceSubrange(16..<20, with: [0, 0, 0x4e, 0x20])
        try Data(png).write(to: URL(fileURLWithPath: folder + "/wide.png"))
        let wide = try await here.run(images: [folder + "/wide.png"])
        expectRefusal(wide, code: 65, saying: "wide.png")
      }
    }
  }

  @Test func aLabelOfNoTokenIsRefusedAndALongOneIsCutWithANote() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      let long = Array(repeating: "dog", count: 60).joined(separator: " and ")
      let outcome = try await here.run("\(long),other")
      #expect(outcome.code == 0 && outcome.error.contains("its end is left out"))
      // A space that does not break is a name to the table, and nothing to the tokenizer.
      try write("3\tdog\t\t-\n4\t\u{a0}\t\t-\n", folder + "/blank.tsv")
      expectRefusal(try await here.run(folder + "/blank.tsv"), code: 64, saying: "no token")
    }
  }

  @Test(.timeLimit(.minutes(2))) func fiveThousandLabelsWork() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      let names = (0..<5000).map { "thing \($0 % 100) \($0 / 100)" }.joined(separator: "\n")
      try write(names, folder + "/many.txt")
      let result = try here.result(try await here.run(folder + "/many.txt", keeps: false))
      #expect(result["labels"] == 5000 && result["text_encoded"] == 5000)
      #expect(try here.lines().count == 5000)
    }
  }
}
