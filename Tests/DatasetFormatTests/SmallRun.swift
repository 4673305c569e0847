import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging

/// A run of five samples in three shards whose pixels follow from the index.
///
/// Its rules reject sample 3 for its presence and confidence.
struct SmallRun {
  var seed = 7
  var steps = 25
  var classes = [ClassTable.Entry(id: 3, name: "dog", aliases: ["hound"], split: .seen)]
  var layout = RunLayout(sampleCount: 5, shardSize: 2)
  var hasMasks = true
  var numerics = "portable"
  var rules = {
    var rules = FilterRules()
    rules.attempts = 1
    rules.entities.minPresence = 0.5
    rules.entities.minConfidence = 0.5
    return rules
  }()
  /// Members of the configuration beside those above.
  var extra: [JSONValue.Member] = [.init("model", ["sha256": "ab"])]
  /// What is written wrongly into each record.
  var mistake: @Sendable (inout SampleRecord) -> Void = { _ in }
  /// Which samples were made, to see that finished ones are not made again.
  var made: [Int] = []

  var configuration: JSONValue {
    .object(
      [
        .init("seed", .string("\(seed)")), .init("steps", .integer(Int64(steps))),
        .init("count", .integer(Int64(layout.sampleCount))),
        .init("shard_size", .integer(Int64(layout.shardSize))), .init("filters", rules.json),
      ] + extra)
  }

  func record(_ index: Int) throws -> SampleRecord {
    let mask = MaskStatistics(try self.mask(index)).regions[3] ?? .init()
    let sure = index == 3 ? 0.4 : 0.99
    var record = SampleRecord(
      index: index, hasMask: hasMasks, prompt: "a dog \u{1f436} \(index)\n\u{0}\"",
      seed: UInt64.max - UInt64(index), steps: 25, guidance: 7.5, scheduler: "ddim", width: 7,
      height: 5,
      entities: [
        SampleRecord.Entity(
          name: "dog", classID: 3, words: "dog", isNamed: true, isPresent: true, presence: sure,
          area: Double(mask.pixels) / 35, confidence: sure, edgeConfidence: 0.81,
          parts: mask.parts, touchesBorder: mask.touchesBorder)
      ], scores: .init(of: try image(index)))
    record.reasons = rules.reasons(
      scores: record.scores, entities: record.entities,
      acceptedHashes: EmptyCollection<PictureHash>())
    return record
  }

  func image(_ index: Int) throws -> PixelImage {
    let samples = (0..<7 * 5 * 3).map { UInt8(truncatingIfNeeded: $0 * (index + 3)) }
    return try PixelImage(width: 7, height: 5, channels: .rgb, samples: samples)
  }

  func mask(_ index: Int) throws -> LabelMask {
    try LabelMask(
      width: 7, height: 5, ids: (0..<7 * 5).map { UInt16($0 % (index % 9 + 2) == 0 ? 3 : 0) })
  }

  func open(
    _ path: String, access: RunFolder.Access = .exclusive, files: (any FileSystem)? = nil
  ) throws -> RunFolder {
    try RunFolder.open(
      path: path, configuration: configuration, classes: try ClassTable(classes), layout: layout,
      numerics: numerics, access: access, fileSystem: files)
  }

  /// Makes all that is missing, of all shards or of some.
  mutating func make(
    _ path: String, shards: [Int]? = nil, access: RunFolder.Access = .exclusive,
    files: (any FileSystem)? = nil
  ) throws {
    let folder = try open(path, access: access, files: files)
    for shard in shards ?? Array(0..<layout.shardCount) {
      if case .done = try folder.state(ofShard: shard) { continue }
      let writer = try folder.openShard(shard)
      for index in writer.missing {
        try add(index, to: writer)
      }
      try writer.commit()
    }
    try folder.close()
  }

  mutating func add(_ index: Int, to writer: ShardWriter) throws {
    made.append(index)
    let mask = hasMasks ? try mask(index) : nil
    var record = try record(index)
    mistake(&record)
    try writer.add(record, image: try image(index), mask: mask)
  }
}

/// Every file and folder below a folder with its bytes.
func contents(_ path: String) throws -> [String: Data] {
  var found: [String: Data] = [:]
  for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
    found[name] =
      isFolder.boolValue ? Data() : try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
  }
  return found
}

/// The error's code; nil where nothing or another error was thrown.
func code(_ body: () throws -> Void) -> DatasetError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? DatasetError)?.code
  }
}
