import CanonicalJSON
import DatasetFormat
import Evaluation
import Foundation
import Imaging
import TestSupport
import Testing

/// Labels of other people's detectors, right and wrong.
@Suite struct DetectionFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file(_ json: String, leastScore: Double = 0.5) throws -> DetectionFile {
    let path = folder.path + "/oracle.json"
    try Data(json.utf8).write(to: URL(fileURLWithPath: path))
    return try DetectionFile(
      path: path,
      classes: ClassTable([
        .init(id: 3, name: "dog", aliases: ["hound"]), .init(id: 5, name: "cat"),
      ]), pictures: [0: (4, 3), 1: (4, 3), 2: (4, 3)], chosen: [0, 2], leastScore: leastScore)
  }

  private func whole(_ annotations: String, images: String? = nil) -> String {
    let images =
      images
      ?? #"{"id":9,"file_name":"x/000000000.jpg","width":4,"height":3},"#
      + #"{"id":4,"file_name":"000000002.png","width":4,"height":3}"#
    return #"{"images":[\#(images)],"categories":[{"id":1,"name":"Hound"},{"id":2,"name":"cat"},"#
      + #"{"id":7,"name":"zebra"}],"annotations":[\#(annotations)]}"#
  }

  private func annotation(
    image: Int = 9, category: Int = 1, _ segmentation: String, _ more: String = ""
  ) -> String {
    #"{"image_id":\#(image),"category_id":\#(category),"segmentation":\#(segmentation)\#(more)}"#
  }

  @Test func runsPolygonsAndScoresMakeOneMask() throws {
    let dog = annotation(#"{"size":[3,4],"counts":[0,6,6]}"#, #","score":0.6"#)
    let cat = annotation(category: 2, "[[1,0,3,0,3,2,1,2]]", #","score":0.9"#)
    let weak = annotation(category: 2, #"{"size":[3,4],"counts":[0,12]}"#, #","score":0.4"#)
    let zebra = annotation(category: 7, #"{"size":[3,4],"counts":[0,12]}"#, #","score":1"#)
    let other = annotation(image: 4, category: 1, #"{"size":[3,4],"counts":[11,1]}"#)
    let crowd = annotation(#"{"size":[3,4],"counts":[9,3]}"#, #","iscrowd":1"#)
    let file = try file(whole([dog, cat, weak, zebra, other, crowd].joined(separator: ",")))
    #expect(file.knownClasses == [3, 5])
    let gone = LabelMask.ignored
    // Columns 0 and 1 are the dog's, the surer cat lies over columns 1 and 2 of the first two rows.
    #expect(
      try file.mask(ofSample: 0).ids == [3, 5, 5, gone, 3, 5, 5, gone, 3, 3, 0, gone])
    #expect(try file.mask(ofSample: 2).ids == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3])
  }

  @Test func aListOfResultsGoesByTheRunsOwnNumbers() throws {
    let file = try file(
      "[" + annotation(image: 3, category: 5, #"{"size":[3,4],"counts":"039"}"#, #","score":1"#)
        + "]", leastScore: 1)
    #expect(try file.mask(ofSample: 0).ids.allSatisfy { $0 == 0 })
    #expect(try file.mask(ofSample: 2).ids.filter { $0 == 5 }.count == 3)
  }

  @Test func whatBreaksARuleIsRefusedWithItsPlace() throws {
    let whole = self.whole
    let image = { (name: String, width: Int) in
      #"{"id":1,"file_name":"\#(name)","width":\#(width),"height":3}"#
    }
    let box = #"{"size":[3,4],"counts":[0,12]}"#
    for (json, part) in [
      ("{", "no COCO file"), ("{}", #"has no list "images""#), ("[", "no COCO file"),
      (whole("", image("000000007.png", 4)), "is no picture of the run"),
      (whole("", image("dog.png", 4)), "is no picture of the run"),
      (whole("", image("000000000.png", 5)), "has 5 x 3 pixels, the picture has 4 x 3"),
      (whole("", image("000000000.png", 4)), "does not list the picture 000000002"),
      (
        whole("", image("000000000.png", 4) + "," + image("000000002.png", 4)),
        "an earlier one has"
      ),
      (whole(annotation(image: 8, box), nil), "picture 8, which is not listed"),
      (whole(annotation(category: 8, box), nil), "category 8, which is not listed"),
      (whole(annotation(#"{"size":[4,3],"counts":[12]}"#), nil), "annotation at place 0"),
      (whole(annotation(#"{"size":[3,4],"counts":[11]}"#), nil), "annotation at place 0"),
      (whole(annotation(#"{"size":[3,4],"counts":[20,-8]}"#), nil), "annotation at place 0"),
      (whole(annotation(#"{"size":[3,4],"counts":"~"}"#), nil), "annotation at place 0"),
      (whole(annotation("[[0,0,1]]"), nil), "annotation at place 0"),
      (whole(annotation("[[0,0,1,1,1e300,2]]"), nil), "annotation at place 0"),
      (whole(annotation(box, #","score":7"#), nil), "from 0 to 1"),
      (
        whole("", nil).replacingOccurrences(of: "Hound", with: "a")
          .replacingOccurrences(of: "cat\"", with: "b\""), "none of its 3 categories"
      ),
    ] {
      let error = #expect(throws: (any Error).self) { try file(json) }
      let text = error.map { "\($0)" } ?? ""
      #expect(text.contains(part) && text.contains("oracle.json"), "\(text)")
    }
  }
}
