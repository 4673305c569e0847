import CanonicalJSON
import Checkpoints

/// The shape of a segmenter, as its weights file has it.
public struct SegmenterConfiguration: Sendable, Equatable {
  static let metadataKey = "triptych_segmenter"
  private static let format: Int64 = 1
  /// Channels of a map go through group norms of so many groups.
  static let groups = 8
  private static let widthLimit = 1024

  /// The names of the classes; the background comes before them.
  public var classes: [String]
  /// Channels of the maps at a half, a quarter, an eighth and a sixteenth of the picture.
  public var widths: [Int]
  /// The shorter side of the pictures that it was trained on, in pixels.
  public var side: Int
  /// Its own mean intersection over union on held-out composed scenes, 0...1; nil where it was not measured.
  public var ownIoU: Double?

  /// Describes a segmenter.
  public init(
    classes: [String], widths: [Int] = [24, 48, 96, 144], side: Int, ownIoU: Double? = nil
  ) {
    (self.classes, self.widths, self.side, self.ownIoU) = (classes, widths, side, ownIoU)
  }

  var json: JSONValue {
    [
      "format": .integer(Self.format), "classes": .array(classes.map { .string($0) }),
      "widths": .array(widths.map { .integer(Int64($0)) }), "side": .integer(Int64(side)),
      "own_miou": ownIoU.map { .number($0) } ?? .null,
    ]
  }

  /// Reads what a file says.
  ///
  /// - Throws: `CheckpointError` where it is no segmenter or says what cannot be.
  init(metadata: [String: String], file: String) throws {
    guard let text = metadata[Self.metadataKey] else {
      throw CheckpointError(
        .unsupported, file: file,
        "is no segmenter: it lacks the metadata \(Self.metadataKey); triptych train segmenter makes one"
      )
    }
    func malformed(_ key: String, _ expected: String) -> CheckpointError {
      CheckpointError(
        .malformed, file: file, key: "\(Self.metadataKey).\(key)", "expected \(expected)")
    }
    let json: JSONValue
    do { json = try JSONValue.parse(Array(text.utf8)) } catch {
      throw CheckpointError(
        .malformed, file: file, key: Self.metadataKey, "is not valid JSON: \(error)")
    }
    guard json["format"] == .integer(Self.format) else {
      throw malformed("format", "\(Self.format)")
    }
    let names = (json["classes"]?.elements ?? []).compactMap(\.string)
    guard 1...SegmenterTraining.classLimit ~= names.count,
      names.count == json["classes"]?.elements?.count, Set(names).count == names.count
    else { throw malformed("classes", "1 to \(SegmenterTraining.classLimit) different names") }
    let widths = (json["widths"]?.elements ?? []).compactMap(\.integer)
    guard widths.count == 4,
      widths.allSatisfy({ 1...Self.widthLimit ~= $0 && $0 % Self.groups == 0 })
    else { throw malformed("widths", "four multiples of \(Self.groups) to \(Self.widthLimit)") }
    guard let side = json["side"]?.integer, SegmenterTraining.sides ~= side, side % 16 == 0 else {
      throw malformed("side", "a multiple of 16 from \(SegmenterTraining.sides.lowerBound)")
    }
    self.init(classes: names, widths: widths, side: side, ownIoU: json["own_miou"]?.number)
  }
}
