import Imaging
import TensorCore

/// Makes one mask of several entities' maps.
///
/// Maps are brought to the picture's size bilinearly and what is not a number counts as 0. Entities of one class are
/// one: its probability is the largest of theirs, its presence too. A pixel goes to the class with the highest
/// probability among those that are present, to the earlier one where two are equal, if it reaches the threshold.
///
/// With a band b, a pixel within 2 pixels (steps by a side) of an edge of the mask is ignored where its highest
/// probability is less than b from the threshold, and where it is some class's and another comes closer to that one
/// than b. Edge confidence and entropy are of the mask before pixels are ignored, everything else of the mask as
/// it is handed out.
public struct MaskComposer: Sendable {
  /// Where maps are cut.
  public struct Settings: Sendable, Equatable {
    /// The probability from which on a pixel is an entity's, in (0, 1).
    public var threshold: Float
    /// The presence from which on an entity may be in the mask, 0...1.
    public var presenceThreshold: Float
    /// How far from certain a pixel must be to be ignored, in (0, 0.5]; nil to ignore none.
    public var ignoreBand: Float?

    /// The band of `--ignore-band`.
    public static let usualIgnoreBand: Float = 0.1

    /// Describes a cut.
    public init(threshold: Float = 0.5, presenceThreshold: Float = 0.5, ignoreBand: Float? = nil) {
      self.threshold = threshold
      self.presenceThreshold = presenceThreshold
      self.ignoreBand = ignoreBand
    }
  }

  /// Where maps are cut.
  public let settings: Settings

  /// A composer.
  ///
  /// - Precondition: the settings are in their ranges.
  public init(_ settings: Settings = Settings()) {
    precondition(
      settings.threshold > 0 && settings.threshold < 1
        && (0...1).contains(settings.presenceThreshold)
        && settings.ignoreBand.map { $0 > 0 && $0 <= 0.5 } ?? true, "composer settings \(settings)")
    self.settings = settings
  }

  /// Makes the mask of a picture.
  ///
  /// - Parameters:
  ///   - maps: where a source sees each entity.
  ///   - entities: as many as there are maps.
  ///   - width: the picture's, in pixels.
  ///   - height: the picture's, in pixels.
  /// - Returns: the mask and what is known of each entity.
  /// - Throws: `ImagingError` where the size is out of range.
  public func compose(
    _ maps: EntityMaps, entities: [Entity], width: Int, height: Int
  ) throws -> ComposedMask {
    let (n, _, _) = maps.probabilities.dimensions3("maps")
    precondition(n == entities.count, "\(n) maps for \(entities.count) entities")
    var mask = try LabelMask(width: width, height: height, repeating: LabelMask.background)
    let classes = EntityClasses(entities, presence: maps.presence)
    let area = width * height
    let merged = classes.probabilities(maps.probabilities, width: width, height: height)
    let candidates = classes.presence.indices.filter {
      classes.presence[$0] >= settings.presenceThreshold
    }
    var winners = ClassWinners(candidates, merged, area: area, threshold: settings.threshold)
    let edges = MaskEdges(winners.classes, width: width, height: height)
    let sharpness = merged.withUnsafeBuffer { values in
      classes.ids.indices.map { index in
        edges.sharpness(of: index, values.baseAddress.map { $0 + index * area })
      }
    }
    if let band = settings.ignoreBand {
      winners.ignore(band: band, threshold: settings.threshold, nearEdge: edges.isNear)
    }
    let scores = merged.withUnsafeBuffer { values in
      MaskParts(winners.classes, classCount: classes.ids.count, width: width, height: height)
        .scores(values, presence: classes.presence, sharpness: sharpness)
    }
    mask.relabel { place in
      let winner = winners.classes[place]
      return winner >= 0
        ? classes.ids[Int(winner)]
        : winner == ClassWinners.ignored ? LabelMask.ignored : LabelMask.background
    }
    return ComposedMask(
      mask: mask, probabilities: classes.spread(merged),
      scores: classes.classOfEntity.map { scores[$0] })
  }
}
