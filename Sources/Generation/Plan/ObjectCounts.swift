/// How many objects the prompts of a run name, and how often each number comes.
///
/// Samples come in blocks as long as the weights' sum; in each, every number comes exactly as often as its weight
/// says, in an order of the block's own.
public struct ObjectCounts: Sendable, Equatable {
  /// The largest weight of a number.
  static let weightLimit = 1000

  /// The weights of 1, 2, … objects, without a common divisor; the last is not 0.
  public let weights: [Int]

  private init(weights: [Int]) { self.weights = weights }

  /// Even weights for a range.
  ///
  /// - Throws: ``GenerationError`` where the range is not within 1 to ``GenerationPlan/objectLimit``.
  public init(_ range: ClosedRange<Int>) throws {
    let limit = GenerationPlan.objectLimit
    guard range.lowerBound >= 1, range.upperBound <= limit else {
      throw Self.fault("\(range.lowerBound)-\(range.upperBound)")
    }
    self.init(weights: (1...range.upperBound).map { range.contains($0) ? 1 : 0 })
  }

  /// Reads "2", "1-4", or numbers with whole weights such as "1:3,2:1".
  ///
  /// - Throws: ``GenerationError`` where it is none of these.
  public init(parsing text: String) throws {
    let limit = GenerationPlan.objectLimit
    func number(_ text: Substring) throws -> Int {
      guard let value = Int(text), 1...limit ~= value else { throw Self.fault(text) }
      return value
    }
    guard text.contains(":") else {
      let ends = try text.split(separator: "-", omittingEmptySubsequences: false).map(number)
      guard ends.count <= 2, let first = ends.first, let last = ends.last, first <= last else {
        throw Self.fault(text)
      }
      try self.init(first...last)
      return
    }
    var weights = [Int](repeating: 0, count: limit)
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pair = part.split(separator: ":", omittingEmptySubsequences: false)
      guard pair.count == 2, let weight = Int(pair[1]), 1...Self.weightLimit ~= weight else {
        throw Self.fault(part)
      }
      let objects = try number(pair[0])
      guard weights[objects - 1] == 0 else { throw Self.fault(text) }
      weights[objects - 1] = weight
    }
    while weights.last == 0 { weights.removeLast() }
    let divisor = weights.reduce(0, greatestCommonDivisor)
    self.init(weights: weights.map { $0 / divisor })
  }

  private static func fault(_ found: some StringProtocol) -> GenerationError {
    GenerationError(
      .usage, "--objects",
      "found \(found), expected a number from 1 to \(GenerationPlan.objectLimit), a range such as 1-4, or weights "
        + "such as 1:3,2:1 (whole numbers to \(weightLimit))")
  }

  /// The most objects of a prompt.
  public var most: Int { weights.count }

  /// A number by its weight.
  package func draw(_ stream: inout ChoiceStream) -> Int {
    var left = stream.next(below: blockLength)
    for (place, weight) in weights.enumerated() {
      left -= weight
      if left < 0 { return place + 1 }
    }
    return most
  }

  /// Samples of a block.
  var blockLength: Int { weights.reduce(0, +) }
  /// Objects that the prompts of a block name together.
  var blockTotal: Int { weights.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element } }

  /// The numbers of objects of a block's samples.
  func block(_ number: Int, run: UInt64) -> [Int] {
    let all = weights.enumerated().flatMap { Array(repeating: $0 + 1, count: $1) }
    guard most > 1, all.count > 1 else { return all }
    var stream = ChoiceStream(run: run, purpose: .objectCount, number: number)
    return stream.permutation(all.count).map { all[$0] }
  }
}

/// The greatest number that divides both; the other one where one is 0.
func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
