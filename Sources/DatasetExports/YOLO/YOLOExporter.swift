import CanonicalJSON
import DatasetFormat

/// Writes pictures, label files and `data.yaml` for ultralytics' YOLO, segmentation.
///
/// - Source: ultralytics' documentation of segmentation data sets, and what its loader reads.
final class YOLOExporter: DatasetExporter {
  private static let root = "yolo"

  private let plan: ExportPlan
  private let folder: ExportFolder
  private var differences: ExportFile?
  private var instanceCount = 0
  private var differenceCount = 0
  private var partedCount = 0

  init(_ plan: ExportPlan, _ folder: ExportFolder) {
    self.plan = plan
    self.folder = folder
  }

  func begin() throws {
    for split in plan.options.shares.used {
      try folder.makeDirectory("\(Self.root)/images/\(split.rawValue)")
      try folder.makeDirectory("\(Self.root)/labels/\(split.rawValue)")
    }
    try folder.write(Array(configuration.utf8), at: "\(Self.root)/data.yaml")
    let file = try folder.open("\(Self.root)/differences.tsv")
    try file.write("# name\tinstance\tclass\tpixels\tagreement\trows\n")
    differences = file
  }

  func add(_ sample: ExportSample) throws {
    let format = plan.options.imageFormat
    let split = sample.split.rawValue
    try folder.write(
      try sample.imageFile(format),
      at: "\(Self.root)/images/\(split)/\(sample.name).\(format.suffix)")
    let rows = YOLORows(sample.instances)
    try folder.write(Array(rows.text.utf8), at: "\(Self.root)/labels/\(split)/\(sample.name).txt")
    instanceCount += sample.instances.instances.count
    for difference in rows.differences {
      let instance = difference.instance
      differenceCount += 1
      if difference.rows > 1 { partedCount += 1 }
      try differences?.write(
        "\(sample.name)\t\(instance.number)\t\(plan.categories[instance.category - 1].name)\t"
          + "\(instance.area)\t\((difference.agreement * 10_000).rounded() / 10_000)\t"
          + "\(difference.rows)\n")
    }
  }

  func finish() throws { try differences?.close() }

  var notes: [String] {
    guard differenceCount > 0 else { return [] }
    return [
      "yolo: \(differenceCount) of \(instanceCount) instances are not kept to the pixel, because a row is one closed "
        + "line; \(Self.root)/differences.tsv lists them"
    ]
  }

  /// data.yaml; without `path` the loader looks beside the file.
  private var configuration: String {
    // The loader insists on both keys; a split that nobody wants is read from the first there is.
    let first = plan.options.shares.used[0]
    let lines = DatasetSplit.allCases.compactMap { split -> String? in
      let isUsed = plan.options.shares[split] > 0
      if !isUsed && split == .test { return nil }
      return "\(split.rawValue): images/\((isUsed ? split : first).rawValue)\n"
    }
    let names = plan.categories.map { "  \($0.id - 1): \(JSONValue.string($0.name).text)\n" }
    return lines.joined() + "names:\n" + names.joined()
  }

  var cardSection: String {
    """
    ### YOLO

    `\(Self.root)/data.yaml` names the pictures; `labels/SPLIT/NAME.txt` has a row an instance: its class from 0 and the
    corners of one closed line in shares of width and height. Pieces and holes are joined to it by bridges that enclose
    nothing, so the line encloses the instance exactly; a program that draws the line, too, adds what is under bridges.
    Where that would leave less than \(YOLORows.leastAgreement) of agreement, pieces have rows of their own and holes
    are filled (\(partedCount) instances in more than one row). \(differenceCount) of \(instanceCount) instances differ
    at all; `\(Self.root)/differences.tsv` lists them. Ignored pixels count as background here; prompts stand in
    `samples.jsonl`. `YOLO("yolo11n-seg.pt").train(data="\(Self.root)/data.yaml")`.
    """
  }
}
