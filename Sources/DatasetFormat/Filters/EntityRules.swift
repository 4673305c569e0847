public import CanonicalJSON

/// Which masks of a class are good enough; nil stands for no bound.
public struct EntityRules: Sendable, Equatable {
  /// Whether what the prompt names must be in the picture.
  public var requiresNamed = false
  /// The least presence of what is in the picture, 0 to 1.
  public var minPresence: Double?
  /// The least mean probability inside a mask, 0 to 1.
  public var minConfidence: Double?
  /// The least mean probability along a mask's edge, 0 to 1.
  public var minEdgeConfidence: Double?
  /// The least share of the picture that a mask covers, 0 to 1.
  public var minArea: Double?
  /// The largest share of the picture that a mask covers, 0 to 1.
  public var maxArea: Double?
  /// The most connected parts of a mask.
  public var maxParts: Int?
  /// Whether a mask may touch the picture's border.
  public var allowsBorder = true
  /// The least agreement with the mask in the mirrored picture, 0 to 1.
  ///
  /// Masks without that score pass: it costs a second pass, and the run's configuration says whether it was made.
  public var minAgreement: Double?

  /// No bounds at all.
  public init() {}

  /// Why an entity makes its sample useless, each reason with the class behind it.
  ///
  /// - Parameter entity: what was measured of it.
  /// - Returns: `absent`, or for one that is there `presence`, `area`, `confidence`, `edge`, `parts`, `border`,
  ///   `agreement`; none where it is fine.
  public func reasons(for entity: SampleRecord.Entity) -> [String] {
    guard entity.isPresent else {
      return entity.isNamed && requiresNamed ? ["absent:\(entity.name)"] : []
    }
    func isBelow(_ value: Double, _ bound: Double?) -> Bool { bound.map { value < $0 } ?? false }
    let isTooLarge = maxArea.map { entity.area > $0 } ?? false
    let findings: [(String, Bool)] = [
      ("presence", isBelow(entity.presence, minPresence)),
      ("area", isBelow(entity.area, minArea) || isTooLarge),
      ("confidence", isBelow(entity.confidence, minConfidence)),
      ("edge", isBelow(entity.edgeConfidence, minEdgeConfidence)),
      ("parts", maxParts.map { entity.parts > $0 } ?? false),
      ("border", !allowsBorder && entity.touchesBorder),
      ("agreement", entity.agreement.map { isBelow($0, minAgreement) } ?? false),
    ]
    return findings.filter(\.1).map { "\($0.0):\(entity.name)" }
  }

  /// All rules, those without a bound as null.
  public var json: JSONValue {
    [
      "require_named": .bool(requiresNamed), "min_presence": .bound(minPresence),
      "min_confidence": .bound(minConfidence), "min_edge_confidence": .bound(minEdgeConfidence),
      "min_area": .bound(minArea), "max_area": .bound(maxArea),
      "max_parts": maxParts.map { .integer(Int64($0)) } ?? .null, "border": .bool(allowsBorder),
      "min_agreement": .bound(minAgreement),
    ]
  }

  /// Reads rules; those that are not given stay as in `rules`.
  init(_ fields: FilterFields, changing rules: EntityRules) throws {
    self = rules
    try fields.checkKeys(json)
    requiresNamed = try fields.bool("require_named") ?? requiresNamed
    try fields.setShare("min_presence", &minPresence)
    try fields.setShare("min_confidence", &minConfidence)
    try fields.setShare("min_edge_confidence", &minEdgeConfidence)
    try fields.setShare("min_area", &minArea)
    try fields.setShare("max_area", &maxArea)
    try fields.setInteger("max_parts", in: 1...1_000_000, &maxParts)
    allowsBorder = try fields.bool("border") ?? allowsBorder
    try fields.setShare("min_agreement", &minAgreement)
    if let minArea, let maxArea, minArea > maxArea {
      throw fields.fault(
        "min_area", "is \(minArea), above max_area \(maxArea); no mask could pass")
    }
  }
}

extension JSONValue {
  static func bound(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
}
