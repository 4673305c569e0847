/// How many of a hundred samples each split gets.
public struct SplitShares: Sendable, Equatable, CustomStringConvertible {
  /// The shares of train, val and test: 0 to 100 each, 100 in sum.
  private let shares: [Int]

  /// 80, 10, 10.
  public static let usual = SplitShares(unchecked: [80, 10, 10])

  private init(unchecked shares: [Int]) { self.shares = shares }

  /// Reads three whole numbers with commas between them; nil where they are not 100 in sum.
  public init?(_ text: String) {
    let words = text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = words.compactMap { word in
      word.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        ? Int(word) : nil
    }
    guard words.count == DatasetSplit.allCases.count, numbers.count == words.count,
      numbers.allSatisfy({ $0 <= 100 }), numbers.reduce(0, +) == 100
    else { return nil }
    shares = numbers
  }

  /// The share of a split.
  public subscript(split: DatasetSplit) -> Int { shares[split.place] }

  /// The splits that get anything.
  public var used: [DatasetSplit] { DatasetSplit.allCases.filter { self[$0] > 0 } }

  /// Whole numbers of samples that follow the shares, `total` in sum: rounded down, then one more where most was cut
  /// off.
  public func counts(of total: Int) -> [DatasetSplit: Int] {
    var counts = Dictionary(
      uniqueKeysWithValues: DatasetSplit.allCases.map { ($0, total * self[$0] / 100) })
    let rest = total - counts.values.reduce(0, +)
    let byRemainder = used.sorted {
      (total * self[$1] % 100, $0.place) < (total * self[$0] % 100, $1.place)
    }
    for split in byRemainder.prefix(rest) { counts[split, default: 0] += 1 }
    return counts
  }

  /// As it is read.
  public var description: String { shares.map(String.init).joined(separator: ",") }
}

extension DatasetSplit {
  /// Its place among all splits.
  var place: Int {
    switch self {
    case .train: 0
    case .val: 1
    case .test: 2
    }
  }
}
