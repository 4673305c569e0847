import DatasetFormat

/// What a run holds and why some of it is not exported.
public struct RunCensus: Sendable, Equatable {
  /// Samples in finished shards.
  public private(set) var samples = 0
  /// Those that passed the filters.
  public private(set) var accepted = 0
  /// Accepted ones without a mask.
  public private(set) var withoutMask = 0
  /// Rejected samples by reason; one with two reasons counts for both.
  public private(set) var rejectedByReason: [String: Int] = [:]
  /// Shards that are not finished.
  public let missingShards: Int
  /// Accepted samples with a side below ``leastSide``.
  public private(set) var small = 0

  /// Some loaders refuse pictures with a shorter side, in pixels.
  public static let leastSide = 10

  init(missingShards: Int) { self.missingShards = missingShards }

  /// Samples that did not pass.
  public var rejected: Int { samples - accepted }
  /// Samples to export.
  public var exported: Int { accepted - withoutMask }

  mutating func count(_ record: SampleRecord) {
    samples += 1
    if record.isAccepted {
      accepted += 1
      if !record.hasMask { withoutMask += 1 }
      if min(record.width, record.height) < Self.leastSide { small += 1 }
    }
    for reason in Set(record.reasons) { rejectedByReason[reason, default: 0] += 1 }
  }

  func check(path: String) throws {
    let problem: String
    if samples == 0 {
      problem = "no shard is finished; give the run's command again"
    } else if accepted == 0 {
      problem = "none of its \(samples) samples is accepted; loosen the filters or make more"
    } else if exported == 0 {
      problem =
        "none of its \(accepted) accepted samples has a mask; make the run again without --no-masks"
    } else {
      return
    }
    throw ExportError(.malformed, path, "nothing to export: " + problem)
  }
}
