/// Which shards of a run one process makes.
///
/// Parts never talk to each other: a shard's content follows from its number alone, so any selections that together
/// name every shard make the same run.
public enum ShardSelection: Sendable, Equatable {
  /// All shards.
  case all
  /// The shards in some ranges.
  case ranges([ClosedRange<Int>])
  /// Every `count`-th shard from shard `index` on.
  case worker(index: Int, count: Int)

  /// The most workers of a run.
  public static let workerLimit = 1_000_000
  /// The highest number of a shard.
  public static let shardLimit = RunLayout.sampleLimit - 1

  /// Reads `3`, `0-15`, or several of them between commas; nil where the text is something else.
  public init?(ranges text: String) {
    var ranges: [ClosedRange<Int>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map(Self.number)
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last
      else { return nil }
      ranges.append(first...last)
    }
    self = .ranges(ranges)
  }

  /// Reads `i/n` with i from 0 to n - 1; nil where the text is something else.
  public init?(worker text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(Self.number)
    guard parts.count == 2, let index = parts[0], let count = parts[1],
      (1...Self.workerLimit).contains(count), index < count
    else { return nil }
    self = .worker(index: index, count: count)
  }

  /// The worker that a Slurm job array makes of this task.
  ///
  /// - Parameter environment: looks a variable up. Read are SLURM_ARRAY_TASK_ID and _COUNT, and where they are set
  ///   _MIN, _MAX and _STEP.
  /// - Returns: the worker; nil where this is no task of an array.
  /// - Throws: ``DatasetError`` `malformed` where the numbers do not make consecutive workers, as in `--array=1,5,7`.
  public static func slurm(_ environment: (String) -> String?) throws -> ShardSelection? {
    let prefix = "SLURM_ARRAY_TASK_"
    guard let identifier = environment(prefix + "ID"), !identifier.isEmpty else { return nil }
    func value(_ name: String, otherwise: Int?) throws -> Int {
      let text = environment(prefix + name)
      if text == nil, let otherwise { return otherwise }
      guard let number = text.flatMap(Self.number) else {
        throw DatasetError(
          .malformed, path: prefix + name,
          "found \(text.map { "\"\($0)\"" } ?? "nothing"), expected a whole number; give --worker i/n"
        )
      }
      return number
    }
    let count = try value("COUNT", otherwise: nil)
    let first = try value("MIN", otherwise: 0)
    let last = try value("MAX", otherwise: first + count - 1)
    let step = try max(1, value("STEP", otherwise: 1))
    let offset = try value("ID", otherwise: nil) - first
    let isRegular = (last - first) % step == 0 && (last - first) / step + 1 == count
    guard isRegular, offset >= 0, offset % step == 0, (1...workerLimit).contains(count),
      offset / step < count
    else {
      throw DatasetError(
        .malformed, path: prefix + "ID",
        "task \(identifier) of \(count) from \(first) to \(last) is no part of an even array; "
          + "give --worker i/n or --shards")
    }
    return .worker(index: offset / step, count: count)
  }

  /// Whether a shard is made here.
  public func contains(_ shard: Int) -> Bool {
    switch self {
    case .all: true
    case .ranges(let ranges): ranges.contains { $0.contains(shard) }
    case .worker(let index, let count): shard % count == index
    }
  }

  /// The shards of a run that are made here, ascending.
  public func shards(in layout: RunLayout) -> [Int] {
    (0..<layout.shardCount).filter(contains)
  }

  /// The highest shard that is named; nil where none is by its number.
  public var highestNamed: Int? {
    guard case .ranges(let ranges) = self else { return nil }
    return ranges.map(\.upperBound).max()
  }

  /// Ascending numbers as ``init(ranges:)`` reads them, such as `3,7,12-15`.
  public static func text(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }.joined(separator: ",")
  }

  private static func number(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 9,
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int(text)
  }
}
