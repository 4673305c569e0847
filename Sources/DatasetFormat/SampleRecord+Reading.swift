public import CanonicalJSON
import Imaging

extension SampleRecord {
  /// Reads and checks a line.
  ///
  /// - Parameters:
  ///   - line: a line without its end.
  ///   - path: the file, for messages.
  /// - Throws: ``DatasetError`` `malformed` with the key that is wrong.
  public init(line: some Collection<UInt8>, path: String) throws {
    do {
      try self.init(json: JSONValue.parse(line), path: path)
    } catch let error as JSONError {
      throw DatasetError(.malformed, path: path, "the record is no JSON: \(error)")
    }
  }

  /// Reads and checks a record.
  ///
  /// - Parameters:
  ///   - json: the record.
  ///   - path: the file, for messages.
  /// - Throws: ``DatasetError`` `malformed` with the key that is wrong.
  public init(json: JSONValue, path: String) throws {
    let fields = try RecordFields(
      json, path: path, what: "record",
      keys: [
        "index", "image", "mask", "prompt", "seed", "attempt", "steps", "guidance", "scheduler",
        "width", "height", "accepted", "reasons", "entities",
        "scores", "rejected_attempts",
      ], optional: ["sources"])
    let attempt = try fields.integer("attempt", in: 0...Self.attemptLimit)
    let rejected = try fields.array("rejected_attempts").map {
      try RejectedAttempt(json: $0, path: path)
    }
    guard rejected.map(\.attempt) == Array(0..<attempt) else {
      throw try fields.fault(
        "rejected_attempts", expected: "the attempts before attempt \(attempt), in order")
    }
    self.init(
      index: try fields.integer("index", in: 0...RunLayout.sampleLimit - 1),
      hasMask: try fields.value("mask") != .null,
      prompt: try fields.string("prompt"), seed: try fields.seed("seed"),
      attempt: attempt,
      steps: try fields.isNull("steps") ? nil : fields.integer("steps", in: 0...Int(Int32.max)),
      guidance: try fields.isNull("guidance") ? nil : fields.number("guidance"),
      scheduler: try fields.isNull("scheduler") ? nil : fields.string("scheduler"),
      width: try fields.integer("width", in: 1...PixelImage.sideLimit),
      height: try fields.integer("height", in: 1...PixelImage.sideLimit),
      reasons: try fields.strings("reasons"),
      entities: try fields.array("entities").map { try Entity(json: $0, path: path) },
      scores: try Scores(json: fields.value("scores"), path: path), rejectedAttempts: rejected,
      sources: try json["sources"] == nil ? [] : fields.strings("sources"))
    try fields.expect("image", .string(image))
    if let mask { try fields.expect("mask", .string(mask)) }
    try fields.expect("accepted", .bool(isAccepted))
  }
}

extension SampleRecord.Entity {
  init(json: JSONValue, path: String) throws {
    let fields = try RecordFields(
      json, path: path, what: "entity",
      keys: [
        "name", "class_id", "words", "named", "present", "presence", "area", "confidence",
        "edge_confidence", "parts", "border", "agreement",
      ])
    self.init(
      name: try fields.string("name"),
      classID: try fields.integer("class_id", in: ClassTable.idRange),
      words: try fields.string("words"), isNamed: try fields.bool("named"),
      isPresent: try fields.bool("present"), presence: try fields.share("presence"),
      area: try fields.share("area"), confidence: try fields.share("confidence"),
      edgeConfidence: try fields.share("edge_confidence"),
      parts: try fields.integer("parts", in: 0...Int(Int32.max)),
      touchesBorder: try fields.bool("border"),
      agreement: try fields.value("agreement").isNull ? nil : fields.share("agreement"))
  }
}
