import CanonicalJSON
import DatasetFormat

/// Writes Parquet files that Hugging Face's datasets decode as pictures.
///
/// - Source: the schema metadata and file names that `datasets` writes and reads.
final class ParquetExporter: DatasetExporter {
  static let root = "parquet"
  /// A file takes samples until their pictures are guessed to have this many bytes.
  private static let byteLimit = 500_000_000
  private static let pictures = ["image", "mask", "instances"]
  private static let texts = ["name", "prompt", "seed"]

  private struct Part {
    var samples = 0
    var bytes = 0
  }

  private let plan: ExportPlan
  private let folder: ExportFolder
  private var parts: [DatasetSplit: [Part]] = [:]
  private var written: [DatasetSplit: (part: Int, samples: Int, file: ParquetFile)] = [:]

  init(_ plan: ExportPlan, _ folder: ExportFolder) {
    self.plan = plan
    self.folder = folder
  }

  func begin() throws { try folder.makeDirectory(Self.root) }

  /// How many files there are stands in each one's name, so it is settled before the first is begun.
  func announce(_ record: SampleRecord, split: DatasetSplit) throws {
    let isLossless = plan.options.imageFormat == .png
    let guess = record.width * record.height * (isLossless ? 3 : 1)
    if parts[split] == nil { parts[split] = [Part()] }
    let last = parts[split, default: []].count - 1
    if parts[split]?[last].bytes ?? 0 >= Self.byteLimit { parts[split]?.append(Part()) }
    let open = parts[split, default: []].count - 1
    parts[split]?[open].samples += 1
    parts[split]?[open].bytes += guess
  }

  func add(_ sample: ExportSample) throws {
    let split = sample.split
    var open = try written[split] ?? (0, 0, begin(0, of: split))
    if open.samples == parts[split]?[open.part].samples {
      try open.file.close()
      open = (open.part + 1, 0, try begin(open.part + 1, of: split))
    }
    let format = plan.options.imageFormat
    let pictures: [([UInt8], String)] = [
      (try sample.imageFile(format), "\(sample.name).\(format.suffix)"),
      (try sample.maskFile(), "\(sample.name).png"),
      (try sample.instanceFile(), "\(sample.name).png"),
    ]
    let texts = [sample.name, sample.record.prompt, String(sample.record.seed)]
    try open.file.add(
      pictures.flatMap { [$0.0, Array($0.1.utf8)] } + texts.map { Array($0.utf8) })
    open.samples += 1
    written[split] = open
  }

  func finish() throws {
    for open in written.values { try open.file.close() }
  }

  private func begin(_ part: Int, of split: DatasetSplit) throws -> ParquetFile {
    func padded(_ number: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
    let count = parts[split]?.count ?? 1
    let name = "\(split.hubName)-\(padded(part))-of-\(padded(count)).parquet"
    let columns =
      Self.pictures.flatMap { picture in
        [
          ParquetColumn([picture, "bytes"], isText: false),
          ParquetColumn([picture, "path"], isText: true),
        ]
      } + Self.texts.map { ParquetColumn([$0], isText: true) }
    return try ParquetFile(
      try folder.open("\(Self.root)/\(name)"), columns: columns,
      metadata: ("huggingface", Self.features.text))
  }

  /// What the columns are, for `datasets`.
  private static var features: JSONValue {
    let members =
      pictures.map { JSONValue.Member($0, ["_type": "Image"]) }
      + texts.map { JSONValue.Member($0, ["dtype": "string", "_type": "Value"]) }
    return ["info": ["features": .object(members)]]
  }

  var hubConfiguration: HubConfiguration? {
    HubConfiguration(
      format: .parquet,
      files: plan.filledSplits.map { ($0, "\(Self.root)/\($0.hubName)-*.parquet") })
  }

  var cardSection: String {
    """
    ### Parquet

    `load_dataset("parquet", data_files={"train": "\(Self.root)/train-*.parquet"})` gives the columns `image`, `mask`,
    `instances`, `name`, `prompt` and `seed`; the first three are pictures, files and all. \(plan.maskColumns)
    """
  }
}
