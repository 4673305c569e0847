import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// Segmenters on pictures whose masks are known, on the built program.
@Suite struct EvaluateSegmenterTests {
  private static let pack = Fixture.folder.appendingPathComponent("world").path

  /// Trains a small segmenter and composes a run; the paths of both.
  private func prepare(_ folder: String) async throws -> (model: String, run: String) {
    let classes = ["--world", Self.pack, "--classes", "dog,cat,chair", "--size", "32"]
    for arguments in [
      ["train", "segmenter", "--steps", "2", "--batch", "2", "--test-count", "1", "--output", "s"],
      ["compose", "--count", "3", "--objects", "1-2", "--output", "run"],
    ] {
      let outcome = try await Program.run(arguments + classes, in: folder)
      #expect(outcome.code == 0, "\(outcome.error)")
    }
    return (folder + "/s/segmenter.safetensors", "run")
  }

  @Test func aSmallSegmenterIsWorthWhatItsMasksAre() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let (model, run) = try await prepare(folder)
      let result = try await masks.evaluate([
        "segmenter", "--data", run, "--model", model, "--save-masks", "kept",
      ])
      #expect(result["pictures"] == 3 && result["architecture"] == "triptych")
      #expect(result["miou"]?.number.map { (0...1).contains($0) } == true)
      let again = try await masks.evaluate(["masks", "--predicted", "kept", "--truth", run])
      for key in ["miou", "pixel_accuracy", "boundary_iou", "per_class"] {
        #expect(again[key] == result[key] && again[key] != nil, "\(key)")
      }
      // The same, looked at as a data set of PASCAL's: only the class that both know is found.
      try masks.mask(
        [[UInt16]](repeating: [12, 12, 0, 65535], count: 4), "V/SegmentationClass/a.png")
      try masks.write("a\n", to: "V/ImageSets/Segmentation/val.txt")
      try masks.picture(width: 4, height: 4, "V/JPEGImages/a.png")
      let voc = try await masks.evaluate([
        "segmenter", "--data", "V", "--model", model, "--protocol", "voc-21",
      ])
      #expect(voc["classes"] == 21 && voc["labelled_pixels"] == 12)
      #expect(voc["per_class"]?["dog"]?["truth_pixels"] == 8)
    }
  }

  @Test func whatCannotBeMeasuredIsNamedInOneLine() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let (model, run) = try await prepare(folder)
      try masks.write("1\tgnu\t\t-\n2\tokapi\t\t-\n3\tzebu\t\t-\n", to: "other.tsv")
      try masks.write("1\tdog\t\t-\n", to: "one.tsv")
      try SyntheticRun(hasNoMasks: ()).write(to: folder + "/bare")
      try masks.mask([[1]], "V/SegmentationClassAug/a.png")
      try masks.write("a\n", to: "V/ImageSets/Segmentation/val.txt")
      let cases: [([String], Int32, String)] = [
        (["--data", run, "--model", "none.safetensors"], 66, "none.safetensors"),
        (["--data", "none", "--model", model], 66, "none"),
        (["--data", "bare", "--model", model], 65, "has no mask"),
        (["--data", run, "--model", model, "--classes", "other.tsv"], 65, "knows none of the 3"),
        (["--data", run, "--model", model, "--classes", "one.tsv"], 65, "none of the 1 classes"),
        (["--data", run, "--model", model, "--multi-scale"], 64, "leave them out"),
        (["--data", run, "--model", run + "/classes.tsv"], 65, "classes.tsv"),
        (["--data", run, "--model", model, "--split", "voc1"], 65, "has no class"),
        (
          ["--data", "V", "--model", model, "--protocol", "voc-20"], 66,
          "V/JPEGImages/a.jpg: is not there"
        ),
        (
          ["--data", ".", "--model", model, "--protocol", "coco-20i"], 66, "holds no coco-20i"
        ),
      ]
      for (arguments, code, part) in cases {
        expectRefusal(
          try await Program.run(["evaluate", "segmenter"] + arguments, in: folder), code: code,
          saying: part)
      }
      let outcome = try await Program.run(
        ["evaluate", "segmenter", "--data", ".", "--model", model, "--protocol", "pascal-5i"],
        in: folder)
      #expect(outcome.code == 66 && outcome.error.contains("holds no pascal-5i"))
    }
  }
}

extension SyntheticRun {
  /// A run without masks.
  fileprivate init(hasNoMasks: Void) {
    self.init(count: 2)
    hasMasks = false
  }
}
