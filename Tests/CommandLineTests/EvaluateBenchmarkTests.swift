import CanonicalJSON
import Foundation
import Imaging
import TestSupport
import Testing

/// Published data sets in tiny trees of their folders, on the built program.
@Suite struct EvaluateBenchmarkTests {
  private static let none: UInt16 = 65535

  private func refuse(
    _ folder: String, _ arguments: [String], code: Int32, saying part: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let outcome = try await Program.run(["evaluate", "masks"] + arguments, in: folder)
    expectRefusal(outcome, code: code, saying: part, sourceLocation: sourceLocation)
  }

  @Test(arguments: ["annotations", "annotations_detectron2"])
  func sceneParsingHas150Classes(folderName: String) async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let place = "sets/ADEChallengeData2016/\(folderName)/validation"
      // 0 is unlabelled in the published masks; detectron2's are one less, with 255 for that.
      let rows: [[UInt16]] =
        folderName == "annotations" ? [[0, 1, 150, 150]] : [[Self.none, 0, 149, 149]]
      try masks.mask(rows, "\(place)/x.png")
      try masks.mask([[7, 1, 150, 2]], "one/x.png")
      try masks.mask([[6, 0, 149, 1]], "zero/x.png")
      let command = ["masks", "--truth", "sets", "--protocol", "ade20k-150", "--predicted"]
      let result = try await masks.evaluate(command + ["one"])
      #expect(isNear(result["miou"], 0.75) && isNear(result["pixel_accuracy"], 2.0 / 3))
      #expect(isNear(result["per_class"]?["flag"]?["iou"], 0.5) && result["classes"] == 150)
      #expect(isNear(result["per_class"]?["wall"]?["iou"], 1))
      #expect(result["protocol"] == "ade20k-150")
      let other = try await masks.evaluate(command + ["zero", "--first-class", "0"])
      #expect(other["miou"] == result["miou"])
      let all = try await masks.evaluate(command + ["one", "--absent-classes", "zero"])
      #expect(isNear(all["miou"], 1.5 / 150))
      try await refuse(
        folder, Array(command.dropFirst()) + ["none"], code: 66, saying: "none")
    }
  }

  @Test func longListsOfClassesAreTIFF() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let ade = "ADE20K_2021_17_01/annotations_detectron2/validation"
      try masks.tiff([[Self.none, 0, 846]], "\(ade)/x.tif")
      try masks.tiff([[3, 0, 845]], "p/x.tif")
      let command = ["masks", "--truth", ".", "--predicted", "p", "--first-class", "0"]
      let result = try await masks.evaluate(command + ["--protocol", "ade20k-847"])
      #expect(isNear(result["miou"], 0.5) && result["classes"] == 847)
      #expect(isNear(result["per_class"]?["847"]?["iou"], 0))
      let names = (1...847).map { "\"thing \($0), alias\"" }.joined(separator: ",")
      try masks.write("[\(names)]", to: "names.json")
      let named = try await masks.evaluate(
        command + ["--protocol", "ade20k-847", "--classes", "names.json"])
      #expect(isNear(named["per_class"]?["thing 1, alias"]?["iou"], 1))
      try masks.write("[\"a\", \"b\"]", to: "two.json")
      try await refuse(
        folder,
        Array(command.dropFirst()) + ["--protocol", "ade20k-847", "--classes", "two.json"],
        code: 65, saying: "two.json: names 2 classes, ade20k-847 has 847")

      try masks.tiff(
        [[459, 0, 458]], "VOCdevkit/VOC2010/annotations_detectron2/pc459_val/x.tif")
      try masks.write(
        (1...459).map { "\($0): word\($0)\n" }.joined(), to: "VOCdevkit/VOC2010/labels.txt")
      try masks.tiff([[1, 1, 459]], "q/x.tif")
      let context = try await masks.evaluate([
        "masks", "--truth", ".", "--predicted", "q", "--protocol", "pascal-context-459",
      ])
      #expect(isNear(context["miou"], 1) && context["classes"] == 459)
      #expect(isNear(context["per_class"]?["word459"]?["iou"], 1))
    }
  }

  @Test func pascalContextHas59Classes() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      try masks.mask(
        [[Self.none, 0, 58]], "VOC2010/annotations_detectron2/pc59_val/x.png")
      try masks.mask([[4, 1, 2]], "p/x.png")
      let result = try await masks.evaluate([
        "masks", "--truth", ".", "--predicted", "p", "--dataset", "pascal-context-59",
      ])
      #expect(isNear(result["miou"], 0.5) && result["classes"] == 59)
      #expect(isNear(result["per_class"]?["aeroplane"]?["iou"], 1))
      #expect(isNear(result["per_class"]?["wood"]?["iou"], 0))
    }
  }

  @Test func theBackgroundOfVOCIsIgnoredOrAClass() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let voc = "VOCdevkit/VOC2012"
      try masks.mask([[0, 1, Self.none, 20]], "\(voc)/SegmentationClassAug/a.png")
      try masks.mask([[0, 0, Self.none, 0]], "\(voc)/SegmentationClassAug/b.png")
      try masks.mask([[0, 1]], "\(voc)/SegmentationClassAug/of-training.png")
      try masks.write("a\nb\n", to: "\(voc)/ImageSets/Segmentation/val.txt")
      try masks.mask([[5, 1, 9, 20]], "twenty/a.png")
      let command = ["masks", "--truth", ".", "--predicted"]
      let twenty = try await masks.evaluate(command + ["twenty", "--protocol", "voc-20"])
      // The picture without an object is passed over.
      #expect(isNear(twenty["miou"], 1) && twenty["pictures"] == 1 && twenty["classes"] == 20)
      try masks.mask([[0, 0, 0, 0]], "twenty/b.png")
      let both = try await masks.evaluate(command + ["twenty", "--protocol", "voc-20"])
      #expect(both["miou"] == twenty["miou"])
      try masks.mask([[33, 1, 9, 20]], "context/a.png")
      try masks.mask([[0, 58, 3, 0]], "context/b.png")
      let folded = try await masks.evaluate(command + ["context", "--protocol", "voc-20b"])
      #expect(isNear(folded["miou"], 1) && folded["classes"] == 21 && folded["pictures"] == 2)
      #expect(folded["per_class"]?["background"]?["truth_pixels"] == 4)
      try await refuse(
        folder, Array(command.dropFirst()) + ["context", "--protocol", "voc-21"], code: 65,
        saying: "context/a.png: holds the class 33")
      let whole = try await masks.evaluate(command + ["twenty", "--protocol", "voc-21"])
      #expect(isNear(whole["per_class"]?["background"]?["iou"], 3.0 / 4))
      try masks.write("a\nb\nc\n", to: "\(voc)/ImageSets/Segmentation/val.txt")
      try await refuse(
        folder, Array(command.dropFirst()) + ["twenty", "--protocol", "voc-20"], code: 66,
        saying: "c.png: is not there, though ImageSets/Segmentation/val.txt names it")
      try await refuse(
        folder, ["--truth", "twenty", "--predicted", "twenty", "--protocol", "voc-20"], code: 66,
        saying: "holds no voc-20: there is no VOC2012/SegmentationClassAug")
    }
  }

  @Test func foldsOfPascalHaveFiveClassesAndAThousandEpisodes() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      try masks.mask([[1, 1, 0, Self.none]], "VOC2012/SegmentationClassAug/a.png")
      try masks.mask([[2, 0, 0, 0]], "VOC2012/SegmentationClassAug/b.png")
      try masks.write("a\nb\n", to: "VOC2012/ImageSets/Segmentation/val.txt")
      // A mask of one episode, in which all but 0 is the class, and one of all classes.
      try masks.mask([[9, 0, 0, 9]], "p/a__01.png")
      try masks.mask([[2, 2, 0, 0]], "p/b.png")
      let command = ["masks", "--truth", ".", "--predicted", "p", "--protocol", "pascal-5i"]
      let result = try await masks.evaluate(command)
      #expect(result["episodes"] == 1000 && result["classes"] == 5 && result["fold"] == 0)
      #expect(result["per_class"]?["aeroplane"]?["episodes"] == 500)
      #expect(isNear(result["per_class"]?["bicycle"]?["iou"], 0.5))
      // Classes without an episode count as 0, as published.
      #expect(isNear(result["miou"], 0.2) && result["absent_classes"] == "zero")
      #expect(isNear(result["foreground_iou"], 0.5) && isNear(result["background_iou"], 0.6))
      #expect(isNear(result["fb_iou"], 0.55))
      let present = try await masks.evaluate(command + ["--absent-classes", "present-only"])
      #expect(isNear(present["miou"], 0.5))
      try masks.write("a__01\n", to: "fold0.txt")
      let listed = try await masks.evaluate(command + ["--episodes", "fold0.txt"])
      #expect(listed["per_class"]?["aeroplane"]?["episodes"] == 1000)
      #expect(isNear(listed["fb_iou"], 0.5))
      let bare = Array(command.dropFirst())
      try await refuse(
        folder, bare + ["--fold", "1"], code: 65, saying: "none of its masks shows")
      try masks.write("a__07\n", to: "fold0.txt")
      try await refuse(
        folder, bare + ["--episodes", "fold0.txt"], code: 65, saying: "\"a__07\" is no NAME__CLASS")
      try FileManager.default.removeItem(atPath: folder + "/p/b.png")
      let outcome = try await Program.run(["evaluate"] + command, in: folder)
      #expect(outcome.code == 66 && outcome.error.contains("p/b__02.png: is not there"))
    }
  }

  @Test func episodesOfCOCOAreDrawnAsNumPyDraws() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let row = [stride(from: UInt16(1), to: 81, by: 4).map { $0 }]
      for name in ["m", "n"] {
        try masks.mask(row, "COCO2014/annotations/val2014/\(name).png")
        try masks.mask(row, "p/\(name).png")
      }
      let command = ["masks", "--truth", ".", "--predicted", "p", "--protocol", "coco-20i"]
      let result = try await masks.evaluate(command)
      #expect(result["episodes"] == 1000 && result["classes"] == 20)
      #expect(isNear(result["miou"], 1) && isNear(result["fb_iou"], 1))
      // numpy.random.seed(0), 1000 choices of 20 classes with one of 2 pictures each.
      #expect(result["per_class"]?["person"]?["episodes"]?.integer ?? 0 > 0)
      let list = Fixture.folder.appendingPathComponent("metrics/fold0.pkl").path
      let listed = try await masks.evaluate(command + ["--episodes", list])
      #expect(listed["per_class"] == result["per_class"])
      #expect(listed["episodes_from"]?.string?.contains("as published") == true)
      try await refuse(
        folder, Array(command.dropFirst()) + ["--fold", "1"], code: 65,
        saying: "no picture shows the class 2 of fold 1")
      try masks.write("not pickled", to: "bad.pkl")
      try await refuse(
        folder, Array(command.dropFirst()) + ["--episodes", "bad.pkl"], code: 65,
        saying: "bad.pkl")
    }
  }

  @Test func classesOfFSSAreFolders() async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      func truth(_ values: [UInt8], _ name: String) throws {
        let image = try PixelImage(
          width: values.count, height: 1, channels: .rgb,
          samples: values.flatMap { [$0, $0, $0] })
        try masks.write(PNGCodec.encode(image), to: "FSS-1000/\(name).png")
        try masks.write("", to: "FSS-1000/\(name).jpg")
      }
      try truth([0, 255], "abacus/1")
      try truth([127, 128], "zucchini/1")
      try masks.mask([[0, 1]], "p/abacus__1.png")
      try masks.mask([[1, 0]], "p/zucchini__1.png")
      let command = ["masks", "--truth", ".", "--predicted", "p", "--protocol", "fss-1000"]
      let result = try await masks.evaluate(command)
      #expect(isNear(result["miou"], 0.5) && result["episodes"] == 2)
      #expect(isNear(result["per_class"]?["abacus"]?["iou"], 1))
      // Each side: 1 of 3 columns of both pictures together.
      #expect(isNear(result["fb_iou"], 1.0 / 3))
      try masks.write("abacus\n", to: "test.txt")
      let listed = try await masks.evaluate(command + ["--episodes", "test.txt"])
      #expect(isNear(listed["miou"], 1) && listed["classes"] == 1)
      try masks.write("gnu\n", to: "test.txt")
      try await refuse(
        folder, Array(command.dropFirst()) + ["--episodes", "test.txt"], code: 66,
        saying: "though test.txt names it")
    }
  }
}
