import CanonicalJSON
public import Imaging

extension SampleRecord {
  /// The most attempts at a sample.
  public static let attemptLimit = 1000

  /// What was measured of a picture as a whole; filters read nothing else of it.
  public struct Scores: Sendable, Equatable {
    /// Whether the model's numbers were finite; without that the picture is a grey stand-in.
    public var isFinite: Bool
    /// The mean of all samples, 0 (black) to 1 (white).
    public var brightness: Double
    /// The largest standard deviation among the channels, 0 (one colour) to 1.
    public var contrast: Double
    /// The share of samples that are 0 or 255.
    public var clipped: Double
    /// What the picture looks like, to find near duplicates.
    public var hash: PictureHash

    /// Describes a picture.
    public init(
      isFinite: Bool = true, brightness: Double, contrast: Double, clipped: Double,
      hash: PictureHash
    ) {
      self.isFinite = isFinite
      self.brightness = brightness
      self.contrast = contrast
      self.clipped = clipped
      self.hash = hash
    }

    /// Measures a picture.
    ///
    /// - Parameters:
    ///   - picture: the picture.
    ///   - isFinite: whether it comes from finite numbers.
    public init(of picture: PixelImage, isFinite: Bool = true) {
      let statistics = PictureStatistics(picture)
      self.init(
        isFinite: isFinite, brightness: statistics.brightness, contrast: statistics.contrast,
        clipped: statistics.clipped, hash: PictureHash(picture))
    }
  }

  /// An attempt that the filters rejected; its picture is not kept.
  public struct RejectedAttempt: Sendable, Equatable {
    /// The attempt's number, from 0.
    public var attempt: Int
    /// Its seed.
    public var seed: UInt64
    /// Why it was rejected; never empty.
    public var reasons: [String]
    /// What was looked for in its picture.
    public var entities: [Entity]
    /// What was measured of its picture.
    public var scores: Scores

    /// Describes an attempt.
    ///
    /// - Precondition: there is a reason.
    public init(
      attempt: Int, seed: UInt64, reasons: [String], entities: [Entity], scores: Scores
    ) {
      precondition(!reasons.isEmpty, "attempt \(attempt) is rejected without a reason")
      self.attempt = attempt
      self.seed = seed
      self.reasons = reasons
      self.entities = entities
      self.scores = scores
    }
  }
}

extension SampleRecord.Scores {
  var json: JSONValue {
    [
      "finite": .bool(isFinite), "brightness": .number(brightness), "contrast": .number(contrast),
      "clipped": .number(clipped), "hash": .string(hash.description),
    ]
  }

  init(json: JSONValue, path: String) throws {
    let fields = try RecordFields(
      json, path: path, what: "scores",
      keys: ["finite", "brightness", "contrast", "clipped", "hash"])
    guard let hash = PictureHash(hexadecimal: try fields.string("hash")) else {
      throw try fields.fault("hash", expected: "16 hexadecimal digits")
    }
    self.init(
      isFinite: try fields.bool("finite"), brightness: try fields.share("brightness"),
      contrast: try fields.share("contrast"), clipped: try fields.share("clipped"), hash: hash)
  }
}

extension SampleRecord.RejectedAttempt {
  var json: JSONValue {
    [
      "attempt": .integer(Int64(attempt)), "seed": .string(String(seed)),
      "reasons": .array(reasons.map { .string($0) }), "entities": .array(entities.map(\.json)),
      "scores": scores.json,
    ]
  }

  init(json: JSONValue, path: String) throws {
    let fields = try RecordFields(
      json, path: path, what: "rejected attempt",
      keys: ["attempt", "seed", "reasons", "entities", "scores"])
    let reasons = try fields.strings("reasons")
    guard !reasons.isEmpty else { throw try fields.fault("reasons", expected: "at least one") }
    self.init(
      attempt: try fields.integer("attempt", in: 0...SampleRecord.attemptLimit),
      seed: try fields.seed("seed"), reasons: reasons,
      entities: try fields.array("entities").map {
        try SampleRecord.Entity(json: $0, path: path)
      }, scores: try .init(json: fields.value("scores"), path: path))
  }
}
