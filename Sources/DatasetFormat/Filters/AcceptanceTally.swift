public import CanonicalJSON

/// How many samples are accepted, in all, by reason and by class.
public struct AcceptanceTally: Sendable, Equatable {
  /// The counts of one class.
  public struct ClassCount: Sendable, Equatable {
    /// Samples that name the class or hold it.
    public var images = 0
    /// Those that are accepted.
    public var accepted = 0
    /// Attempts that were made at them.
    public var attempts = 0

    /// The share of images that are accepted, 0 to 1.
    public var rate: Double { images == 0 ? 0 : Double(accepted) / Double(images) }
  }

  /// Samples.
  public private(set) var samples = 0
  /// Those that are accepted.
  public private(set) var accepted = 0
  /// Rejected samples by reason; a sample with two reasons counts for both.
  public private(set) var rejectedByReason: [String: Int] = [:]
  /// The counts by the class's name; classes that occur in no record have none.
  public private(set) var classes: [String: ClassCount] = [:]

  /// Counts nothing yet.
  public init() {}

  /// Counts a sample.
  public mutating func add(_ record: SampleRecord) {
    samples += 1
    if record.isAccepted { accepted += 1 }
    for reason in Set(record.reasons) { rejectedByReason[reason, default: 0] += 1 }
    let names = Set(record.entities.filter { $0.isNamed || $0.isPresent }.map(\.name))
    for name in names {
      classes[name, default: ClassCount()].images += 1
      classes[name, default: ClassCount()].attempts += record.attempt + 1
      if record.isAccepted { classes[name, default: ClassCount()].accepted += 1 }
    }
  }

  /// `samples`, `accepted`, `rejected_by_reason` and `per_class`, for a command's result.
  public var members: [JSONValue.Member] {
    let reasons = rejectedByReason.sorted { $0.key < $1.key }.map {
      JSONValue.Member($0.key, .integer(Int64($0.value)))
    }
    let perClass = classes.sorted { $0.key < $1.key }.map { name, count in
      JSONValue.Member(
        name,
        [
          "images": .integer(Int64(count.images)), "accepted": .integer(Int64(count.accepted)),
          "rate": .number(count.rate), "attempts": .integer(Int64(count.attempts)),
        ])
    }
    return [
      .init("samples", .integer(Int64(samples))), .init("accepted", .integer(Int64(accepted))),
      .init("rejected_by_reason", .object(reasons)), .init("per_class", .object(perClass)),
    ]
  }

  /// The same in lines for people.
  public var lines: [String] {
    let reasons = rejectedByReason.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
    let perClass = classes.sorted { $0.key < $1.key }.map { name, count in
      "  \(name): \(count.accepted) of \(count.images)"
    }
    return ["\(accepted) of \(samples) accepted"]
      + (reasons.isEmpty ? [] : ["rejected by reason:"] + reasons)
      + (perClass.isEmpty ? [] : ["accepted by class:"] + perClass)
  }
}
