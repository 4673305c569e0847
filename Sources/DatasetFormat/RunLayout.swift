/// The names in a run folder, and which samples stand in which shard.
public struct RunLayout: Sendable, Equatable {
  /// The most samples of a run: nine digits name one.
  public static let sampleLimit = 1_000_000_000

  /// Samples of the run.
  public let sampleCount: Int
  /// Samples of a shard; the last one may have fewer.
  public let shardSize: Int

  /// Divides a run.
  ///
  /// - Precondition: `sampleCount` from 1 to ``sampleLimit``, `shardSize` from 1.
  public init(sampleCount: Int, shardSize: Int) {
    precondition(
      (1...Self.sampleLimit).contains(sampleCount) && shardSize >= 1,
      "\(sampleCount) samples in shards of \(shardSize)")
    self.sampleCount = sampleCount
    self.shardSize = min(shardSize, sampleCount)
  }

  /// How many shards there are.
  public var shardCount: Int { (sampleCount - 1) / shardSize + 1 }

  /// The samples of a shard.
  ///
  /// - Precondition: the shard exists.
  public func indices(ofShard shard: Int) -> Range<Int> {
    precondition((0..<shardCount).contains(shard), "shard \(shard) of \(shardCount)")
    let start = shard * shardSize
    return start..<min(start + shardSize, sampleCount)
  }

  /// The file of the resolved configuration.
  public static let configurationFile = "run.json"
  /// The file of the classes.
  public static let classFile = "classes.tsv"
  /// The file of the rules that `filter` put in place of the run's own.
  public static let filterFile = "filter.json"
  static let shardFolder = "shards"
  static let partialFolder = "partial"
  static let lockFile = "partial/lock"
  static let recordFile = "records.jsonl"
  static let doneFile = "DONE"
  static let imageFolder = "images"
  static let maskFolder = "masks"

  /// A shard's name: five digits, more where it needs them.
  static func shardName(_ shard: Int) -> String { padded(shard, to: 5) }
  /// A shard's folder.
  static func shardPath(_ shard: Int) -> String { "\(shardFolder)/\(shardName(shard))" }
  /// Where the finished samples of a shard wait for the others.
  static func journalPath(_ shard: Int) -> String { "partial/journal-\(shardName(shard))" }
  /// A sample's name: nine digits.
  static func sampleName(_ index: Int) -> String { padded(index, to: 9) }
  /// A sample's picture in its shard.
  static func imagePath(_ index: Int) -> String { "\(imageFolder)/\(sampleName(index)).png" }
  /// A sample's mask in its shard.
  static func maskPath(_ index: Int) -> String { "\(maskFolder)/\(sampleName(index)).png" }

  /// Eight digits that no other process draws.
  static func randomSuffix() -> String {
    let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static func padded(_ number: Int, to width: Int) -> String {
    precondition(number >= 0, "a name for \(number)")
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
