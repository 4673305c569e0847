import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// Masks in files against true ones, on the built program.
@Suite struct EvaluateMasksTests {
  private static let none: UInt16 = 65535

  /// Two pictures; class 3 is in none.
  private func draw(_ masks: DrawnMasks) throws {
    try masks.mask([[1, 1, 2, 2], [0, 0, Self.none, Self.none]], "truth/a.png")
    try masks.mask([[1, 2, 2, 2], [0, 1, 1, 0]], "found/a.png")
    try masks.mask([[Self.none]], "truth/b.png")
    try masks.mask([[3]], "found/b.png")
    try masks.write("1\tdog\t\t-\n2\tcat\t\t-\n3\tgnu\t\t-\n", to: "three.tsv")
  }

  private static let masks = ["masks", "--predicted", "found", "--truth", "truth"]

  @Test func figuresComeFromOneMatrix() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      try draw(masks)
      let result = try await masks.evaluate(Self.masks + ["--classes", "three.tsv"])
      #expect(isNear(result["miou"], 0.5) && isNear(result["pixel_accuracy"], 4.0 / 6))
      #expect(isNear(result["mean_accuracy"], (0.5 + 0.5 + 1) / 3))
      #expect(isNear(result["frequency_weighted_iou"], 0.5))
      // Of so small pictures all is edge.
      #expect(isNear(result["boundary_iou"], 0.5))
      #expect(isNear(result["per_class"]?["dog"]?["iou"], 1.0 / 3))
      #expect(isNear(result["per_class"]?["cat"]?["iou"], 2.0 / 3))
      #expect(isNear(result["per_class"]?["background"]?["iou"], 0.5))
      #expect(result["per_class"]?["gnu"]?["iou"]?.isNull == true)
      #expect(result["pictures"] == 2 && result["absent_classes"] == "present-only")
      #expect(result["seen_miou"] == nil)
      let zero = try await masks.evaluate(
        Self.masks + ["--classes", "three.tsv", "--absent-classes", "zero"])
      #expect(isNear(zero["miou"], 0.375) && zero["absent_class_count"] == 1)
      let plain = try await masks.evaluate(Self.masks)
      #expect(plain["miou"] == result["miou"] && plain["classes"] == 3)
      let things = try await masks.evaluate(Self.masks + ["--background", "ignore"])
      // Without the background's pixels nothing else is said of 1, and one pixel of it is 2.
      #expect(isNear(things["miou"], (0.5 + 2.0 / 3) / 2))
      let text = try await Program.run(
        ["evaluate"] + Self.masks + ["--classes", "three.tsv"], in: folder)
      #expect(text.output.contains("--absent-classes present-only"))
      #expect(text.output.contains("mIoU 50.0  pixel accuracy 66.7"))
    }
  }

  @Test func aSplitHasItsOwnMeans() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      try draw(masks)
      try masks.write("1\tdog\t\tseen\n2\tcat\t\tunseen\n3\tgnu\t\t-\n", to: "truth/classes.tsv")
      let result = try await masks.evaluate(Self.masks)
      let (seen, unseen) = (5.0 / 12, 2.0 / 3)
      #expect(isNear(result["seen_miou"], seen) && isNear(result["unseen_miou"], unseen))
      #expect(isNear(result["harmonic_miou"], 2 * seen * unseen / (seen + unseen)))
      try masks.write("unseen: [dog]\n", to: "split.yaml")
      let other = try await masks.evaluate(Self.masks + ["--split", "split.yaml"])
      #expect(isNear(other["unseen_miou"], 1.0 / 3))
    }
  }

  @Test func depthsFirstValuesAndThreadsMakeNoDifference() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      try draw(masks)
      let result = try await masks.evaluate(Self.masks + ["--background", "ignore"])
      // The same from 0 in 16 bits, with an ignored value of its own.
      try masks.tiff([[0, 0, 1, 1], [400, 400, 400, 400]], "t/a.tif")
      try masks.tiff([[0, 1, 1, 1], [9, 0, 0, 9]], "p/a.tiff")
      try masks.write(
        (1...10).map { "\($0)\tc\($0)\t\t-\n" }.joined(), to: "ten.tsv")
      let other = try await masks.evaluate([
        "masks", "--predicted", "p", "--truth", "t", "--first-class", "0", "--ignore", "400",
        "--classes", "ten.tsv",
      ])
      #expect(other["miou"] == result["miou"] && other["miou"]?.number != nil)
      for threads in ["1", "3"] {
        let again = try await masks.evaluate(
          Self.masks + ["--background", "ignore", "--threads", threads])
        #expect(again == result)
      }
    }
  }

  @Test func runsAreReadOnEitherSide() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      try SyntheticRun().write(to: folder + "/run")
      let same = try await masks.evaluate(["masks", "--predicted", "run", "--truth", "run"])
      // Rejected samples are no truth; what is ignored is never right.
      #expect(same["pictures"] == 22 && isNear(same["pixel_accuracy"], 1))
      #expect(isNear(same["miou"], 1) && isNear(same["boundary_iou"], 1))
      let shard = folder + "/run/shards/00000/masks"
      let names = try FileManager.default.contentsOfDirectory(atPath: shard)
      #expect(names.count == 7)
      expectRefusal(
        try await Program.run(
          ["evaluate", "masks", "--predicted", shard, "--truth", "run"], in: folder),
        code: 66, saying: "has no mask of 16 of 22 names")
    }
  }

  @Test func whatDoesNotFitIsNamedInOneLine() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      try draw(masks)
      func refuse(_ arguments: [String], _ code: Int32, _ part: String) async throws {
        expectRefusal(
          try await Program.run(["evaluate"] + arguments, in: folder), code: code, saying: part)
      }
      try masks.write("1\tdog\t\t-\n", to: "one.tsv")
      try await refuse(
        Self.masks + ["--classes", "one.tsv"], 65, "truth/a.png: holds the class 2")
      try masks.write("1\tdog\t\t-\n2\tcat\t\t-\n", to: "two.tsv")
      try await refuse(
        Self.masks + ["--classes", "two.tsv"], 65, "found/b.png: holds the class 3")
      try masks.write("[\"dog\", 7]", to: "names.json")
      try await refuse(Self.masks + ["--classes", "names.json"], 65, "names.json, entry 2")
      try await refuse(Self.masks + ["--classes", "none.tsv"], 66, "none.tsv")
      try masks.mask([[1, 1]], "found/c.png")
      try await refuse(Self.masks, 65, "has \"c\" that truth does not have")
      try masks.mask([[1, 1]], "truth/c.png")
      try masks.mask([[1]], "found/c.png")
      try await refuse(Self.masks, 65, "found/c.png: has 1 x 1 pixels, truth/c.png has 2 x 1")
      try FileManager.default.removeItem(atPath: folder + "/found/c.png")
      try await refuse(Self.masks, 66, "found: has no mask of \"c\" in truth")
      try masks.write("no picture", to: "found/c.png")
      try await refuse(Self.masks, 65, "found/c.png: ")
      try masks.mask([[1]], "found/c.tif")
      try await refuse(Self.masks, 65, "both are the mask of c")
      try await refuse(["masks", "--predicted", "none", "--truth", "truth"], 66, "none")
      try FileManager.default.createDirectory(
        atPath: folder + "/empty", withIntermediateDirectories: true)
      try await refuse(["masks", "--predicted", "empty", "--truth", "truth"], 65, "holds no mask")
      let cases: [([String], String)] = [
        (["--first-class", "2"], "--first-class"), (["--ignore", "70000"], "--ignore"),
        (["--boundary-width", "0"], "--boundary-width"), (["--fold", "1"], "--fold"),
        (["--episodes", "x"], "--episodes"), (["--absent-classes", "half"], "half"),
        (["--protocol", "voc-22"], "voc-22"),
        (["--protocol", "voc-20", "--ignore", "3"], "--ignore"),
        (["--protocol", "voc-20", "--background", "class"], "--background"),
        (["--protocol", "pascal-5i", "--fold", "4"], "--fold"),
        (["--protocol", "pascal-5i", "--classes", "x"], "--classes"),
        (["--protocol", "fss-1000", "--fold", "1"], "--fold"),
      ]
      for (extra, part) in cases {
        try await refuse(Self.masks + extra, 64, part)
      }
    }
  }
}
