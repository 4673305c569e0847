import DatasetFormat
import Imaging

/// Writes the layout of PASCAL VOC 2012 below `VOCdevkit/VOC2012`.
///
/// - Source: what the loaders of torchvision, detectron2 and mmsegmentation read.
final class VOCExporter: DatasetExporter {
  private static let root = "VOCdevkit/VOC2012"
  private static let listFolders = ["Segmentation", "Main"]

  private let plan: ExportPlan
  private let folder: ExportFolder
  private var names: [(name: String, split: DatasetSplit)] = []

  /// - Throws: ``ExportError`` `malformed` where there are more classes than 8-bit masks hold.
  init(_ plan: ExportPlan, _ folder: ExportFolder) throws {
    try plan.checkEightBits(for: "voc")
    self.plan = plan
    self.folder = folder
  }

  func begin() throws {
    for name in ["JPEGImages", "SegmentationClass", "SegmentationObject", "Annotations"] {
      try folder.makeDirectory("\(Self.root)/\(name)")
    }
    for name in Self.listFolders { try folder.makeDirectory("\(Self.root)/ImageSets/\(name)") }
  }

  func announce(_ record: SampleRecord, split: DatasetSplit) throws {
    names.append((ExportSample.name(of: record.index), split))
  }

  func add(_ sample: ExportSample) throws {
    try folder.write(
      try sample.imageFile(.jpeg), at: "\(Self.root)/JPEGImages/\(sample.name).jpg")
    try folder.write(
      try PNGCodec.encode(sample.mask, depth: .eight),
      at: "\(Self.root)/SegmentationClass/\(sample.name).png")
    let map = sample.instances
    try folder.write(
      try PNGCodec.encode(
        indices: map.numbers, width: map.width, height: map.height, palette: Palette.voc),
      at: "\(Self.root)/SegmentationObject/\(sample.name).png")
    let annotation = VOCAnnotation(sample: sample, categories: plan.categories)
    try folder.write(
      Array(annotation.text.utf8), at: "\(Self.root)/Annotations/\(sample.name).xml")
  }

  func finish() throws {
    var lists: [(String, [DatasetSplit])] = [
      ("train", [.train]), ("val", [.val]), ("trainval", [.train, .val]),
    ]
    if plan.options.shares[.test] > 0 { lists.append(("test", [.test])) }
    for (list, splits) in lists {
      let text = names.filter { splits.contains($0.split) }.map { $0.name + "\n" }.joined()
      for folderName in Self.listFolders {
        try folder.write(
          Array(text.utf8), at: "\(Self.root)/ImageSets/\(folderName)/\(list).txt")
      }
    }
  }

  var cardSection: String {
    let short = plan.options.shares.used.filter { plan.count(of: $0) == 1 }.map(\.rawValue)
    let trap =
      short.isEmpty
      ? ""
      : "\n\nThe list of \(short.joined(separator: " and ")) has a single line. detectron2 reads lists with "
        + "`numpy.loadtxt`, which gives no list then and fails."
    return """
      ### PASCAL VOC

      `VOCdevkit/VOC2012` in this folder, which is the `root` of torchvision's `VOCSegmentation(root, "2012", "train")`.

      - `SegmentationClass/NAME.png`: a palette PNG whose *index* is the class: 0 background, 1 to
        \(plan.categories.count) the classes below, 255 ignore. Read it as it is (Pillow's mode P). Readers that turn
        palettes into grey, such as OpenCV's, give other numbers.
      - `SegmentationObject/NAME.png`: likewise, the number of the instance in its picture, 1 upward.
      - `Annotations/NAME.xml`: boxes, counted from 1, both ends included. `truncated` is 1 where a box touches the edge
        of the picture; `pose` and `difficult` are not known and always the same.
      - `ImageSets/Segmentation` and `ImageSets/Main`: the lists of names.

      0 is a real background class: mmsegmentation needs `reduce_zero_label=False`. detectron2 takes
      `VOCdevkit/VOC2012` as its folder and `classes.txt` as its class names.\(trap)
      """
  }
}
