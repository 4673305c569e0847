public import CanonicalJSON

/// A sample's line in records.jsonl, also carried by its PNG files.
public struct SampleRecord: Sendable, Equatable {
  /// An entity that was looked for in the picture.
  public struct Entity: Sendable, Equatable {
    /// The class's name.
    public var name: String
    /// The class's id, 1 to 65534.
    public var classID: Int
    /// The words of the prompt that mean it.
    public var words: String
    /// Whether the prompt names it.
    public var isNamed: Bool
    /// Whether it is taken to be in the picture.
    public var isPresent: Bool
    /// How sure that is, 0 to 1.
    public var presence: Double
    /// The share of the picture that its mask covers, 0 to 1.
    public var area: Double
    /// The mean probability inside its mask, 0 to 1.
    public var confidence: Double
    /// The mean probability along its edge, 0 to 1.
    public var edgeConfidence: Double
    /// In how many connected parts its mask falls; 0 where it has none.
    public var parts: Int
    /// Whether its mask touches the picture's border.
    public var touchesBorder: Bool
    /// The intersection over union with its mask in the mirrored picture, 0 to 1; nil where that was not made.
    public var agreement: Double?

    /// Describes an entity.
    public init(
      name: String, classID: Int, words: String, isNamed: Bool, isPresent: Bool, presence: Double,
      area: Double, confidence: Double, edgeConfidence: Double, parts: Int, touchesBorder: Bool,
      agreement: Double? = nil
    ) {
      self.name = name
      self.classID = classID
      self.words = words
      self.isNamed = isNamed
      self.isPresent = isPresent
      self.presence = presence
      self.area = area
      self.confidence = confidence
      self.edgeConfidence = edgeConfidence
      self.parts = parts
      self.touchesBorder = touchesBorder
      self.agreement = agreement
    }
  }

  /// The sample's number in the run, from 0.
  public var index: Int
  /// Whether there is a mask.
  public var hasMask: Bool
  /// The prompt.
  public var prompt: String
  /// The sample's seed, from the run's seed, the index and the attempt.
  public var seed: UInt64
  /// How many attempts failed before.
  public var attempt: Int
  /// Sampling steps; nil where no model made the picture.
  public var steps: Int?
  /// The guidance scale; nil where no model made the picture.
  public var guidance: Double?
  /// The scheduler's name; nil where no model made the picture.
  public var scheduler: String?
  /// The picture's width in pixels.
  public var width: Int
  /// The picture's height in pixels.
  public var height: Int
  /// Why the sample is rejected; empty where it is accepted.
  public var reasons: [String]
  /// What was looked for in the picture.
  public var entities: [Entity]
  /// What was measured of the picture as a whole.
  public var scores: Scores
  /// The attempts before this one, from 0, all of them rejected; as many as ``attempt`` says.
  public var rejectedAttempts: [RejectedAttempt]
  /// The files that a composed picture was put together from, its background first; empty for any other.
  public var sources: [String]

  /// Describes a sample.
  ///
  /// - Precondition: there are `attempt` rejected attempts, numbered from 0.
  public init(
    index: Int, hasMask: Bool = false, prompt: String, seed: UInt64, attempt: Int = 0,
    steps: Int? = nil, guidance: Double? = nil, scheduler: String? = nil, width: Int, height: Int,
    reasons: [String] = [],
    entities: [Entity] = [], scores: Scores, rejectedAttempts: [RejectedAttempt] = [],
    sources: [String] = []
  ) {
    precondition(
      rejectedAttempts.map(\.attempt) == Array(0..<attempt),
      "attempt \(attempt) after the attempts \(rejectedAttempts.map(\.attempt))")
    self.index = index
    self.hasMask = hasMask
    self.prompt = prompt
    self.seed = seed
    self.attempt = attempt
    self.steps = steps
    self.guidance = guidance
    self.scheduler = scheduler
    self.width = width
    self.height = height
    self.reasons = reasons
    self.entities = entities
    self.scores = scores
    self.rejectedAttempts = rejectedAttempts
    self.sources = sources
  }

  /// Whether the sample passed the filters.
  public var isAccepted: Bool { reasons.isEmpty }
  /// The picture's path in its shard.
  public var image: String { RunLayout.imagePath(index) }
  /// The mask's path in its shard; nil where there is none.
  public var mask: String? { hasMask ? RunLayout.maskPath(index) : nil }

  /// The line, without its end.
  ///
  /// - Precondition: every number is finite.
  public var line: String { json.text }

  /// The record as JSON, members in the order of the format; `sources` only where there are some.
  public var json: JSONValue {
    let json: JSONValue = [
      "index": .integer(Int64(index)), "image": .string(image),
      "mask": mask.map { .string($0) } ?? .null, "prompt": .string(prompt),
      "seed": .string(String(seed)), "attempt": .integer(Int64(attempt)),
      "steps": steps.map { .integer(Int64($0)) } ?? .null,
      "guidance": guidance.map { .number($0) } ?? .null,
      "scheduler": scheduler.map { .string($0) } ?? .null, "width": .integer(Int64(width)),
      "height": .integer(Int64(height)), "accepted": .bool(isAccepted),
      "reasons": .array(reasons.map { .string($0) }), "entities": .array(entities.map(\.json)),
      "scores": scores.json, "rejected_attempts": .array(rejectedAttempts.map(\.json)),
    ]
    guard !sources.isEmpty else { return json }
    return .object((json.members ?? []) + [.init("sources", .array(sources.map { .string($0) }))])
  }
}

extension SampleRecord.Entity {
  var json: JSONValue {
    [
      "name": .string(name), "class_id": .integer(Int64(classID)), "words": .string(words),
      "named": .bool(isNamed), "present": .bool(isPresent), "presence": .number(presence),
      "area": .number(area), "confidence": .number(confidence),
      "edge_confidence": .number(edgeConfidence), "parts": .integer(Int64(parts)),
      "border": .bool(touchesBorder), "agreement": agreement.map { .number($0) } ?? .null,
    ]
  }
}
