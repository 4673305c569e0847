import CanonicalJSON
import DatasetFormat
import Imaging

/// Writes tar shards whose members of one sample stand side by side, as webdataset reads them.
///
/// - Source: webdataset's tar readers; the `webdataset` builder of Hugging Face's datasets.
final class WebDatasetExporter: DatasetExporter {
  private static let root = "webdataset"
  /// A shard ends behind the sample with which it reaches either.
  private static let sampleLimit = 10_000
  private static let byteLimit = 500_000_000

  private let plan: ExportPlan
  private let folder: ExportFolder
  private var shards: [DatasetSplit: TarShard] = [:]
  private var counts: [DatasetSplit: Int] = [:]

  init(_ plan: ExportPlan, _ folder: ExportFolder) {
    self.plan = plan
    self.folder = folder
  }

  func begin() throws { try folder.makeDirectory(Self.root) }

  func add(_ sample: ExportSample) throws {
    let shard = try shard(of: sample.split)
    let format = plan.options.imageFormat
    // Scalars alone: Hugging Face's builder takes the types of the first sample for those of all.
    let facts: JSONValue = [
      "index": .integer(Int64(sample.record.index)), "prompt": .string(sample.record.prompt),
      "seed": .string(String(sample.record.seed)), "width": .integer(Int64(sample.image.width)),
      "height": .integer(Int64(sample.image.height)),
    ]
    let members = [
      ("instances.png", try sample.instanceFile()), ("mask.png", try sample.maskFile()),
      (format.suffix, try sample.imageFile(format)), ("json", Array(facts.text.utf8)),
      ("txt", Array(sample.record.prompt.utf8)),
    ]
    for (suffix, bytes) in members.sorted(by: { $0.0 < $1.0 }) {
      try shard.add("\(sample.name).\(suffix)", bytes)
    }
    shard.samples += 1
    if shard.samples >= Self.sampleLimit || shard.size >= Self.byteLimit {
      try shard.close()
      shards[sample.split] = nil
    }
  }

  func finish() throws {
    for shard in shards.values { try shard.close() }
  }

  private func shard(of split: DatasetSplit) throws -> TarShard {
    if let shard = shards[split] { return shard }
    let number = counts[split, default: 0]
    counts[split] = number + 1
    let digits = String(number)
    let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    let shard = TarShard(try folder.open("\(Self.root)/\(split.hubName)-\(name).tar"))
    shards[split] = shard
    return shard
  }

  var hubConfiguration: HubConfiguration? {
    HubConfiguration(
      format: .webdataset, files: plan.filledSplits.map { ($0, "\(Self.root)/\($0.hubName)-*.tar") }
    )
  }

  var cardSection: String {
    let lists = plan.filledSplits.map { split in
      let last = String(counts[split, default: 1] - 1)
      let number = String(repeating: "0", count: max(0, 6 - last.count)) + last
      return "`\(Self.root)/\(split.hubName)-{000000..\(number)}.tar`"
    }
    let suffix = plan.options.imageFormat.suffix
    return """
      ### WebDataset

      \(lists.joined(separator: ", ")). A sample is `NAME.\(suffix)`, `NAME.mask.png`, `NAME.instances.png`, `NAME.txt`
      (the prompt) and `NAME.json` (index, prompt, seed, width, height), one behind the other. \(plan.maskColumns)
      `webdataset.WebDataset(urls).decode("pil")` turns masks into RGB, all three channels alike; of 16 bits read
      `NAME.mask.png` yourself. Or `load_dataset("webdataset", data_files=…)`.
      """
  }
}
