import CanonicalJSON
import DatasetExports
import TestSupport
import Testing

@Suite struct COCOAnnotationFileTests {
  private func file(
    _ annotations: String, images: String = #"{"id":7,"width":4,"height":3,"file_name":"a.jpg"}"#,
    categories: String = #"{"id":3,"name":"dog"},{"id":1,"name":"cat"}"#
  ) throws -> COCOAnnotationFile {
    let text =
      #"{"annotations":[\#(annotations)],"images":[\#(images)],"info":{},"categories":[\#(categories)]}"#
    return try COCOAnnotationFile(bytes: Array(text.utf8), path: "set.json")
  }

  private func annotation(_ segmentation: String, id: Int = 1, more: String = "") -> String {
    #"{"id":\#(id),"image_id":7,"category_id":3,"segmentation":\#(segmentation)\#(more)}"#
  }

  /// What becomes of one annotation's pixels.
  private func pixels(_ segmentation: String) throws -> COCORegionPixels {
    let file = try file(annotation(segmentation))
    #expect(file.faults.isEmpty)
    let region = try #require(file.regions(of: file.images[0]).first)
    return file.pixels(of: region, in: file.images[0])
  }

  @Test func listsAreReadInAnyOrder() throws {
    let file = try file(
      annotation("[[0,0,2,0,2,2,0,2]]") + ","
        + annotation(#"{"size":[3,4],"counts":[0,12]}"#, id: 2, more: #","iscrowd":1"#),
      images:
        #"{"id":7,"width":4,"height":3,"file_name":"a/b.jpg","prompt":"two\nlines","license":null}"#
    )
    #expect(file.faults.isEmpty)
    #expect(file.images.map(\.fileName) == ["a/b.jpg"])
    #expect(file.images[0].prompt == "two\nlines")
    #expect(file.categories.map(\.id) == [1, 3])
    let regions = file.regions(of: file.images[0])
    #expect(regions.map(\.isCrowd) == [false, true])
    let areas = regions.map { file.pixels(of: $0, in: file.images[0]).encoding?.area }
    #expect(areas == [4, 12])
  }

  @Test func holesAndPiecesOfRunsStay() throws {
    // Columns of three: all but the middle pixel of the second column, in both spellings.
    let plain = try #require(pixels(#"{"size":[3,4],"counts":[0,4,1,7]}"#).encoding)
    let packed = try #require(pixels(#"{"size":[3,4],"counts":"\#(plain.compressed)"}"#).encoding)
    #expect(plain == packed && plain.area == 11)
    #expect(!plain.pixels[1 * 4 + 1])
  }

  @Test(arguments: [
    (#"{"size":[4,3],"counts":[0,12]}"#, "[3,4]"), (#"{"size":[3,4],"counts":[0,13]}"#, "beyond"),
    (#"{"size":[3,4],"counts":[0,11]}"#, "in sum"), (#"{"size":[3,4],"counts":[13,-1]}"#, "beyond"),
    (#"{"size":[3,4],"counts":[0,9223372036854775807]}"#, "beyond"),
    (#"{"size":[3,4],"counts":[0.5,11.5]}"#, "whole number"),
    (#"{"size":[3,4],"counts":"ooooooooooo"}"#, "more than 6"),
    (#"{"size":[3,4],"counts":"\u00e9"}"#, "byte"),
    (#"{"size":[3,4],"counts":"P"}"#, "within a number"),
    (#"{"size":[3,4],"counts":[12]}"#, "cover no pixel"), (#"{"size":[3,4]}"#, "size and counts"),
    (#"{"size":3,"counts":[0,12]}"#, "size and counts"),
    (#"{"size":[3,4],"counts":7}"#, "a number"),
    ("[]", "has no outline"), ("[[]]", "three corners"), ("[[0,0,2,0,2]]", "three corners"),
    ("[[1,1,1,1,1,1]]", "encloses no pixel"), (#"[["x",0,2,0,2,2]]"#, "expected numbers"),
    ("[[0,0,1e308,0,2,2]]", "pixels away"), ("[7]", "expected a list"), (#""text""#, "a string"),
    ("true", "a boolean"),
  ])
  func whatIsNoRegionIsNamed(segmentation: String, part: String) throws {
    let pixels = try pixels(segmentation)
    #expect(pixels.encoding == nil)
    #expect(pixels.problems.count == 1 && pixels.problems[0].contains(part), "\(pixels.problems)")
  }

  @Test func anOutlineThatEnclosesNothingLeavesTheOthers() throws {
    let pixels = try pixels("[[0,0,2,0,2,2,0,2],[1,1,1,1,1,1],[0,0,1,0]]")
    #expect(pixels.encoding?.area == 4)
    #expect(pixels.problems.count == 2)
    #expect(pixels.problems[0].contains("outline 1") && pixels.problems[1].contains("outline 2"))
  }

  @Test(arguments: [
    (#"{"id":1,"image_id":8,"category_id":3,"segmentation":[]}"#, "picture 8"),
    (#"{"id":1,"image_id":7,"category_id":2,"segmentation":[]}"#, "category 2"),
    (#"{"id":1,"image_id":7,"category_id":3}"#, "no segmentation"),
    (#"{"id":1,"image_id":7,"category_id":3,"segmentation":null}"#, "no segmentation"),
    (#"{"id":1,"image_id":"7","category_id":3,"segmentation":[]}"#, "whole numbers"),
    (#"{"segmentation":[]}"#, "annotation at place 0"),
    (#"{"id":1,"image_id":7,"category_id":3,"segmentation":[],"iscrowd":2}"#, "iscrowd 2"),
  ])
  func anAnnotationThatMakesNoSenseIsNamed(annotation: String, part: String) throws {
    let file = try file(annotation)
    #expect(file.faults.count == 1 && "\(file.faults)".contains(part), "\(file.faults)")
    #expect(file.regions(of: file.images[0]).isEmpty)
  }

  @Test func imagesAndCategoriesThatMakeNoSenseAreNamed() throws {
    let file = try file(
      annotation("[]") + "," + annotation("[]"),
      images: #"""
        {"id":7,"width":4,"height":3,"file_name":"a.jpg"},{"id":7,"width":4,"height":3,"file_name":"b.jpg"},
        {"id":8,"width":0,"height":3,"file_name":"c.jpg"},{"id":9,"width":9000,"height":3,"file_name":"d.jpg"},
        {"id":10,"width":4,"height":3},{"width":4,"height":3,"file_name":"e.jpg"},7
        """#, categories: #"{"id":3,"name":"dog"},{"id":3,"name":"cat"},{"id":4},{"name":"x"}"#)
    #expect(file.images.map(\.fileName) == ["a.jpg"])
    #expect(file.categories.map(\.name) == ["dog"])
    #expect(file.faults.count == 10, "\(file.faults)")
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"images":[],"annotations":[]}"#,
    #"{"images":{},"annotations":[],"categories":[]}"#,
    #"{"images":[],"annotations":[7],"categories":[]}"#,
    #"{"images":[],"annotations":[{"area":NaN}],"categories":[]}"#,
    #"{"images":[],"images":[],"annotations":[],"categories":[]}"#,
    #"{"images":[],"annotations":[],"categories":[]} x"#,
  ])
  func whatIsNoCOCOFileIsRefused(text: String) {
    #expect {
      try COCOAnnotationFile(bytes: Array(text.utf8), path: "set.json")
    } throws: { error in
      (error as? ExportError)?.code == .malformed && "\(error)".hasPrefix("set.json: ")
    }
  }

  /// Any damage of any byte is read or refused, never more.
  @Test func damagedFilesAreReadOrRefused() throws {
    let whole = Array(
      #"""
      {"images":[{"id":7,"width":4,"height":3,"file_name":"a.jpg"}],"categories":[{"id":3,"name":"dog"}],
      "annotations":[{"id":1,"image_id":7,"category_id":3,"iscrowd":0,"segmentation":[[0,0,2.5,0,2,2]]},
      {"id":2,"image_id":7,"category_id":3,"segmentation":{"size":[3,4],"counts":"0<"}}]}
      """#.utf8)
    var random = SeededGenerator(seed: 11)
    var (read, refused) = (0, 0)
    for _ in 0..<4000 {
      var bytes = whole
      for _ in 0..<1 + random.next() % 3 {
        bytes[Int(random.next() % UInt64(bytes.count))] =
          random.next() % 2 == 0
          ? UInt8(truncatingIfNeeded: random.next())
          : random.choose(Array("0123456789,[]{}-e.\"".utf8))
      }
      do {
        let file = try COCOAnnotationFile(bytes: bytes, path: "set.json")
        for image in file.images {
          for region in file.regions(of: image) { _ = file.pixels(of: region, in: image) }
        }
        read += 1
      } catch is ExportError {
        refused += 1
      }
    }
    #expect(read > 100 && refused > 100)
  }
}
