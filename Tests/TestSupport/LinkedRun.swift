import CanonicalJSON
import DatasetFormat
import Foundation

/// A run of very many samples that share the pictures and masks of a small drawn one, as hard links.
///
/// For tests of how memory grows: records and DONE are written anew, the texts in the pictures are not.
public struct LinkedRun {
  /// Samples.
  public var count: Int
  private let shardSize = 100

  /// Describes a run.
  public init(count: Int) { self.count = count }

  /// Writes the run.
  ///
  /// - Parameters:
  ///   - path: the folder, which must not be there.
  ///   - scratch: a folder on the same file system for the small run.
  /// - Throws: where the disk fails.
  public func write(to path: String, scratch: String) throws {
    let drawn = SyntheticRun(count: shardSize, shardSize: shardSize, promptSize: 1)
    try drawn.write(to: scratch)
    let source = scratch + "/shards/00000"
    let records = try String(contentsOfFile: source + "/records.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try SampleRecord(line: $0.utf8, path: source) }
    let manager = FileManager.default
    let configuration: JSONValue = [
      "program": "triptych", "seed": "7", "count": .integer(Int64(count)),
      "shard_size": .integer(Int64(shardSize)),
    ]
    let layout = RunLayout(sampleCount: count, shardSize: shardSize)
    try RunFolder.open(
      path: path, configuration: configuration, classes: drawn.classes(), layout: layout,
      numerics: "portable"
    ).close()
    let hashes = (
      ContentHash.sha256(configuration.canonicalText.utf8),
      ContentHash.sha256(try drawn.classes().tsv.utf8)
    )
    for shard in 0..<layout.shardCount {
      let indices = layout.indices(ofShard: shard)
      let digits = String(shard)
      let folder = path + "/shards/" + String(repeating: "0", count: 5 - digits.count) + digits
      for name in ["images", "masks"] {
        try manager.createDirectory(
          atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      }
      var lines = ""
      var listed: [DoneRecord.File] = []
      for (record, index) in zip(records, indices) {
        var record = record
        let old = (record.image, record.mask)
        record.index = index
        record.prompt += " \(index)"
        for (from, to) in [(old.0, record.image), (old.1 ?? "", record.mask ?? "")] {
          try manager.linkItem(atPath: "\(source)/\(from)", toPath: "\(folder)/\(to)")
          listed.append(.init(path: to, size: 1, sha256: hashes.0))
        }
        lines += record.line + "\n"
      }
      try lines.write(toFile: folder + "/records.jsonl", atomically: false, encoding: .utf8)
      listed.append(.init(path: "records.jsonl", size: 1, sha256: hashes.0))
      let done: JSONValue = [
        "shard": .integer(Int64(shard)), "first_index": .integer(Int64(indices.lowerBound)),
        "samples": .integer(Int64(indices.count)), "accepted": .integer(Int64(indices.count)),
        "rejected_by_reason": [:], "configuration_sha256": .string(hashes.0),
        "classes_sha256": .string(hashes.1), "numerics": "portable",
        "files": .array(
          listed.sorted { $0.path < $1.path }.map {
            [
              "path": .string($0.path), "size": .integer(Int64($0.size)),
              "sha256": .string($0.sha256),
            ]
          }),
      ]
      try done.canonicalText.write(toFile: folder + "/DONE", atomically: false, encoding: .utf8)
    }
  }
}
