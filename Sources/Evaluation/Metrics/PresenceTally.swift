/// How often it was said rightly whether a thing is in a picture.
public struct PresenceTally: Sendable, Equatable {
  /// What is asked.
  public enum Group: String, Sendable, CaseIterable {
    /// The thing is there.
    case present
    /// It is not, though the prompt names it.
    case namedAbsent = "named_absent"
    /// It is not, and the prompt says nothing of it.
    case unnamedAbsent = "unnamed_absent"
  }

  private var right = [Int](repeating: 0, count: Group.allCases.count)
  private var asked = [Int](repeating: 0, count: Group.allCases.count)

  /// An empty tally.
  public init() {}

  /// Notes an answer.
  public mutating func add(_ group: Group, saidPresent: Bool) {
    let place = Self.place(group)
    asked[place] += 1
    if saidPresent == (group == .present) { right[place] += 1 }
  }

  /// Adds what another tally counted.
  public mutating func add(_ other: PresenceTally) {
    for place in right.indices {
      right[place] += other.right[place]
      asked[place] += other.asked[place]
    }
  }

  /// How often a group was asked for.
  public func count(_ group: Group) -> Int { asked[Self.place(group)] }

  /// The share of a group's answers that are right, 0...1; nil where none was asked for.
  public func accuracy(_ group: Group) -> Double? {
    let place = Self.place(group)
    return asked[place] > 0 ? Double(right[place]) / Double(asked[place]) : nil
  }

  /// The mean over the groups that were asked for, 0...1; nil where none was.
  public var accuracy: Double? { Mean.of(Group.allCases.compactMap(accuracy)) }

  private static func place(_ group: Group) -> Int {
    switch group {
    case .present: 0
    case .namedAbsent: 1
    case .unnamedAbsent: 2
    }
  }
}
