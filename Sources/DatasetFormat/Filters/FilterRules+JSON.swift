public import CanonicalJSON

extension FilterRules {
  /// All rules, those without a bound as null; for a run's configuration.
  public var json: JSONValue {
    [
      "attempts": .integer(Int64(attempts)),
      "picture": [
        "min_contrast": .bound(minContrast), "max_clipped": .bound(maxClipped),
        "duplicate_distance": duplicateDistance.map { .integer(Int64($0)) } ?? .null,
      ],
      "entities": entities.json,
      "classes": .object(
        classes.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, $0.value.json) }),
    ]
  }

  /// Reads rules; those that are not given stay as in `rules`.
  ///
  /// - Parameters:
  ///   - json: the rules by their names, as in ``json``.
  ///   - rules: what holds for rules that are left out; a class's stay as those of `entities`.
  /// - Throws: ``Fault`` with the keys that lead to what is wrong.
  public init(json: JSONValue, changing rules: FilterRules = FilterRules()) throws {
    self = rules
    let fields = try FilterFields(json)
    try fields.checkKeys(self.json)
    var limit: Int? = attempts
    try fields.setInteger("attempts", in: 1...SampleRecord.attemptLimit, &limit)
    guard let limit else {
      throw fields.fault("attempts", "found null, expected a number: attempts must end")
    }
    attempts = limit
    if let picture = try fields.object("picture") {
      try picture.checkKeys(self.json["picture"] ?? .null)
      try picture.setShare("min_contrast", &minContrast)
      try picture.setShare("max_clipped", &maxClipped)
      try picture.setInteger("duplicate_distance", in: 0...63, &duplicateDistance)
    }
    if let entities = try fields.object("entities") {
      self.entities = try EntityRules(entities, changing: self.entities)
    }
    guard let classes = try fields.object("classes") else { return }
    for name in classes.json.members?.map(\.name) ?? [] {
      guard let own = try classes.object(name) else { continue }
      self.classes[name] = try EntityRules(own, changing: self.classes[name] ?? entities)
    }
  }
}
