public import Imaging

/// Which samples a run accepts: a pure function of the scores that records hold.
///
/// Some pictures are never accepted, whatever the rules: those from numbers that are not finite, and those that are
/// black, white or of one colour.
public struct FilterRules: Sendable, Equatable {
  /// A rule that cannot be read, with the names of the objects it stands in.
  public struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The keys that lead to the rule.
    public var keyPath: [String]
    /// What was found and what was expected.
    public var message: String

    init(keyPath: [String], _ message: String) {
      self.keyPath = keyPath
      self.message = message
    }

    /// One line for people.
    public var description: String {
      keyPath.isEmpty ? message : "\(keyPath.joined(separator: ".")): \(message)"
    }
  }

  /// The key of the rules in a run's configuration.
  public static let configurationKey = "filters"
  /// Below this contrast, about one level of 255, a picture counts as one colour.
  public static let flatContrast = 0.004
  /// A mean below this is a black picture, one above 1 less this a white one.
  public static let blackBrightness = 0.01

  /// How many attempts a sample gets in all, 1 to ``SampleRecord/attemptLimit``.
  public var attempts = 4
  /// The least contrast of a picture, 0 to 1.
  public var minContrast: Double?
  /// The largest share of samples that are 0 or 255.
  public var maxClipped: Double?
  /// Pictures of one shard whose hashes differ in so many bits or fewer are duplicates; nil looks for none.
  public var duplicateDistance: Int?
  /// The rules for masks of classes that have none of their own.
  public var entities = EntityRules()
  /// The rules for masks of some classes, by name.
  public var classes: [String: EntityRules] = [:]

  /// No rules but those that always hold.
  public init() {}

  /// The rules where nobody says.
  ///
  /// Mild on purpose: they reject what is no use to anyone and leave taste to a file of rules.
  ///
  /// - Parameters:
  ///   - hasMasks: whether there are masks; without them only what always holds is asked.
  ///   - hasFlipCheck: whether masks are compared with those of the mirrored picture.
  /// - Returns: the rules.
  public static func usual(hasMasks: Bool, hasFlipCheck: Bool = false) -> FilterRules {
    var rules = FilterRules()
    guard hasMasks else { return rules }
    rules.minContrast = 0.02
    rules.maxClipped = 0.9
    rules.duplicateDistance = 2
    rules.entities.requiresNamed = true
    rules.entities.minArea = 0.005
    rules.entities.maxArea = 0.95
    rules.entities.minConfidence = 0.5
    if hasFlipCheck { rules.entities.minAgreement = 0.5 }
    return rules
  }

  /// Whether a rule asks for the comparison with the mirrored picture.
  public var needsAgreement: Bool {
    ([entities] + classes.values).contains { $0.minAgreement != nil }
  }

  /// Why a sample is rejected.
  ///
  /// - Parameters:
  ///   - record: the sample; its own reasons are not looked at.
  ///   - earlier: samples of the same shard with a lower index, their reasons by the same rules.
  /// - Returns: `not-finite` alone, or `black`, `white`, `flat`, `clipped`, then the entities' reasons
  ///   (``EntityRules/reasons(for:)``), then `duplicate`; none where the sample is accepted.
  public func reasons(
    for record: SampleRecord, among earlier: some Sequence<SampleRecord>
  ) -> [String] {
    reasons(scores: record.scores, entities: record.entities) { hash, distance in
      earlier.contains {
        $0.isAccepted && $0.index < record.index && $0.scores.hash.distance(to: hash) <= distance
      }
    }
  }

  /// The same for a picture whose record is not written yet.
  ///
  /// - Parameters:
  ///   - scores: what was measured of the picture.
  ///   - entities: what was looked for in it.
  ///   - hashes: the hashes of the accepted samples of the shard with a lower index.
  /// - Returns: the reasons.
  public func reasons(
    scores: SampleRecord.Scores, entities: [SampleRecord.Entity],
    acceptedHashes hashes: some Sequence<PictureHash>
  ) -> [String] {
    reasons(scores: scores, entities: entities) { hash, distance in
      hashes.contains { $0.distance(to: hash) <= distance }
    }
  }

  private func reasons(
    scores: SampleRecord.Scores, entities: [SampleRecord.Entity],
    isKnown: (PictureHash, Int) -> Bool
  ) -> [String] {
    guard scores.isFinite else { return ["not-finite"] }
    var reasons: [String] = []
    if scores.brightness < Self.blackBrightness { reasons.append("black") }
    if scores.brightness > 1 - Self.blackBrightness { reasons.append("white") }
    if scores.contrast < max(minContrast ?? 0, Self.flatContrast) { reasons.append("flat") }
    if let maxClipped, scores.clipped > maxClipped { reasons.append("clipped") }
    for entity in entities {
      reasons += (classes[entity.name] ?? self.entities).reasons(for: entity)
    }
    if let duplicateDistance, isKnown(scores.hash, duplicateDistance) {
      reasons.append("duplicate")
    }
    return reasons
  }

  /// The records of a whole shard with the reasons these rules give.
  ///
  /// - Parameter records: a shard's records by ascending index.
  /// - Returns: the same records, decided anew one after the other.
  public func deciding(_ records: [SampleRecord]) -> [SampleRecord] {
    var hashes: [PictureHash] = []
    return records.map { record in
      var record = record
      record.reasons = reasons(
        scores: record.scores, entities: record.entities, acceptedHashes: hashes)
      if record.isAccepted { hashes.append(record.scores.hash) }
      return record
    }
  }

  /// Refuses rules for classes that the run has not.
  ///
  /// - Throws: ``Fault`` naming the class.
  public func check(against table: ClassTable) throws {
    let known = Set(table.entries.map(\.name))
    for name in classes.keys.sorted() where !known.contains(name) {
      throw Fault(keyPath: ["classes", name], "the run has no class of this name")
    }
  }
}
