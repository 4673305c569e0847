import CanonicalJSON
import DatasetFormat

/// Writes pictures, masks and instances with a `metadata.jsonl` a split, which Hugging Face's imagefolder builder reads.
///
/// - Source: the builder of `datasets` for folders: `file_name` becomes the column `image`, `X_file_name` the column `X`.
final class ImageFolderExporter: DatasetExporter {
  private static let root = "imagefolder"

  private let plan: ExportPlan
  private let folder: ExportFolder
  private var metadata: [DatasetSplit: ExportFile] = [:]

  init(_ plan: ExportPlan, _ folder: ExportFolder) {
    self.plan = plan
    self.folder = folder
  }

  func begin() throws {
    for split in plan.options.shares.used {
      for name in ["images", "masks", "instances"] {
        try folder.makeDirectory("\(Self.root)/\(split.hubName)/\(name)")
      }
      // An empty table has no columns, and the builder reads none.
      guard plan.count(of: split) > 0 else { continue }
      metadata[split] = try folder.open("\(Self.root)/\(split.hubName)/metadata.jsonl")
    }
  }

  func add(_ sample: ExportSample) throws {
    let format = plan.options.imageFormat
    let place = "\(Self.root)/\(sample.split.hubName)"
    let image = "images/\(sample.name).\(format.suffix)"
    let mask = "masks/\(sample.name).png"
    let instances = "instances/\(sample.name).png"
    try folder.write(try sample.imageFile(format), at: "\(place)/\(image)")
    try folder.write(try sample.maskFile(), at: "\(place)/\(mask)")
    try folder.write(try sample.instanceFile(), at: "\(place)/\(instances)")
    // Every value has one type in all lines, and none is null: the builder settles types by the first lines.
    let line: JSONValue = [
      "file_name": .string(image), "mask_file_name": .string(mask),
      "instances_file_name": .string(instances), "name": .string(sample.name),
      "prompt": .string(sample.record.prompt), "seed": .string(String(sample.record.seed)),
    ]
    try metadata[sample.split]?.write(line.text + "\n")
  }

  func finish() throws {
    for file in metadata.values { try file.close() }
  }

  var hubConfiguration: HubConfiguration? {
    HubConfiguration(
      format: .imagefolder,
      files: plan.filledSplits.map { ($0, "\(Self.root)/\($0.hubName)/**") })
  }

  var cardSection: String {
    """
    ### Hugging Face imagefolder

    `load_dataset("imagefolder", data_dir="\(Self.root)")` (checked with datasets 4.4.1) gives the columns `image`,
    `mask`, `instances`, `name`, `prompt` and `seed`. \(plan.maskColumns)
    """
  }
}
