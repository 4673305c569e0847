import CanonicalJSON
import DatasetFormat

/// The list of all samples with what no other layout has room for: samples.jsonl.
struct SampleList {
  static let name = "samples.jsonl"

  private let file: ExportFile

  init(_ folder: ExportFolder) throws { file = try folder.open(Self.name) }

  func add(_ record: SampleRecord, split: DatasetSplit) throws {
    let line: JSONValue = [
      "name": .string(ExportSample.name(of: record.index)), "split": .string(split.rawValue),
      "index": .integer(Int64(record.index)), "prompt": .string(record.prompt),
      "seed": .string(String(record.seed)),
    ]
    try file.write(line.text + "\n")
  }

  func finish() throws { try file.close() }
}
