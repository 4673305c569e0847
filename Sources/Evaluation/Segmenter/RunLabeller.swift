import CanonicalJSON
import DatasetExports
public import DatasetFormat
import Generation
import Imaging

/// Labels the pictures of a run with a segmenter, as COCO writes it.
public struct RunLabeller {
  /// The key, in a file's `info`, of the segmenter's own mean intersection over union.
  public static let ownIoUKey = "segmenter_miou"

  /// What the segmenter that wrote a file is worth itself; nil where the file says nothing.
  static func ownIoU(in bytes: [UInt8]) -> Double? {
    // The writer puts it in front; a stranger's file need not be read for it.
    let head = String(decoding: bytes.prefix(200), as: UTF8.self)
    guard let key = head.firstRange(of: "\"\(ownIoUKey)\":") else { return nil }
    return Double(head[key.upperBound...].prefix { $0.isNumber || ".-eE".contains($0) })
  }

  private let contents: RunContents
  private let segmenter: Segmenter
  private let namesOnly: Bool
  private let classes: [(name: String, id: Int)]

  /// Prepares to label.
  ///
  /// - Parameters:
  ///   - contents: the run.
  ///   - segmenter: what labels it.
  ///   - namesOnly: whether only the classes that a prompt names compete for its picture, or all.
  /// - Throws: `GenerationError` where the segmenter knows none of the run's classes.
  public init(_ contents: RunContents, _ segmenter: Segmenter, namesOnly: Bool) throws {
    let known = segmenter.ids(in: contents.classes)
    guard !known.isEmpty else {
      throw GenerationError(
        .malformed, segmenter.path,
        "knows none of the \(contents.classes.entries.count) classes of \(contents.path)")
    }
    (self.contents, self.segmenter, self.namesOnly) = (contents, segmenter, namesOnly)
    classes = contents.classes.entries.filter { known.contains($0.id) }.map { ($0.name, $0.id) }
  }

  /// Labels every finished sample and writes the file whole.
  ///
  /// - Parameters:
  ///   - path: the file, which is replaced.
  ///   - watch: told how many are done; throwing ends the work, nothing is written.
  /// - Returns: pictures, and regions found in them.
  /// - Throws: what `watch` throws, `DatasetError`, `GenerationError`.
  public func write(
    to path: String, watch: (Int) throws -> Void
  ) throws -> (pictures: Int, regions: Int) {
    let finder = NamedClasses(contents.classes)
    var images: [JSONValue] = []
    var annotations: [JSONValue] = []
    try contents.forEachSample { sample in
      let record = sample.record
      let id = Int64(ExportSample.imageID(of: record.index))
      let named = namesOnly ? finder.ids(in: record.prompt) : nil
      let asked = classes.filter { named?.contains($0.id) ?? true }
      let (mask, scores) = try segmenter.labels(of: contents.image(of: sample), naming: asked)
      images.append([
        "id": .integer(id), "file_name": .string("\(ExportSample.name(of: record.index)).png"),
        "width": .integer(Int64(mask.width)), "height": .integer(Int64(mask.height)),
      ])
      for one in asked where mask.ids.contains(UInt16(one.id)) {
        let runs = RunLengthEncoding(height: mask.height, width: mask.width) { x, y in
          mask[x, y] == UInt16(one.id)
        }
        annotations.append(
          annotation(
            number: annotations.count + 1, image: id, category: one.id, runs,
            score: scores[one.id] ?? 0))
      }
      try watch(images.count)
    }
    let json: JSONValue = [
      "info": .object([
        .init("description", "labels by a segmenter"),
        .init(Self.ownIoUKey, segmenter.configuration.ownIoU.map { .number($0) } ?? .null),
      ]),
      "images": .array(images), "annotations": .array(annotations),
      "categories": .array(
        classes.map { ["id": .integer(Int64($0.id)), "name": .string($0.name)] }),
    ]
    try WholeFile.write(Array((json.text + "\n").utf8), to: path)
    return (images.count, annotations.count)
  }

  private func annotation(
    number: Int, image: Int64, category: Int, _ runs: RunLengthEncoding, score: Double
  ) -> JSONValue {
    let box = runs.box
    return [
      "id": .integer(Int64(number)), "image_id": .integer(image),
      "category_id": .integer(Int64(category)), "score": .number(Labels.rounded(score)),
      "segmentation": [
        "size": [.integer(Int64(runs.height)), .integer(Int64(runs.width))],
        "counts": .string(runs.compressed),
      ],
      "area": .integer(Int64(runs.area)), "iscrowd": 0,
      "bbox": .array([box.x, box.y, box.width, box.height].map { .integer(Int64($0)) }),
    ]
  }
}
