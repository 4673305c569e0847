/// How pictures are shown to a segmenter.
public struct SegmenterSettings: Sendable, Equatable {
  /// LSeg: whether pictures are shown at six scales, each mirrored too, as published; else at one.
  public var multiScale = false
  /// The side of a square that pictures fill; nil for the published way: crops for LSeg, 768 for SED.
  public var inputSide: Int?
  /// SED: category early rejection, see ``SEDOptions/rejection``; nil for none.
  public var rejection: Int?
  /// SED: see ``SEDOptions/pooling``.
  public var pooling = 1
  /// Labels that are computed together; nil chooses. No result depends on it, memory does.
  public var classChunk: Int?

  /// The published way.
  public init() {}

  /// Sides that ``inputSide`` may have are multiples of this.
  public static let sideUnit = 32
  /// The longest ``inputSide``.
  public static let sideLimit = 4096

  /// Refuses settings that a segmenter does not have.
  ///
  /// - Throws: ``SegmenterError`` naming the option.
  public func check(_ architecture: SegmenterArchitecture) throws {
    if let inputSide {
      guard inputSide.isMultiple(of: Self.sideUnit), Self.sideUnit...Self.sideLimit ~= inputSide
      else {
        throw SegmenterError(
          .usage, "--input-size",
          "found \(inputSide), expected a multiple of \(Self.sideUnit) up to \(Self.sideLimit)")
      }
      guard !multiScale else {
        throw SegmenterError(
          .usage, "--input-size", "and --multi-scale do not go together; give one of them")
      }
    }
    let others: [(String, Bool)] =
      architecture == .lseg
      ? [("--early-rejection", rejection != nil), ("--class-pooling", pooling != 1)]
      : [("--multi-scale", multiScale)]
    if let other = others.first(where: \.1) {
      let owner: SegmenterArchitecture = architecture == .lseg ? .sed : .lseg
      throw SegmenterError(
        .usage, other.0, "is \(owner.title)'s, and the model is \(architecture.title); leave it out"
      )
    }
  }
}
