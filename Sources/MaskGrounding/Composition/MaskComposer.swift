import Imaging
import TensorCore

/// Makes one mask of several entities' maps.
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
    try ComposedMask(
      mask: LabelMask(
        width: width, height: height, ids: [UInt16](repeating: 0, count: width * height)),
      probabilities: Tensor.zeros([entities.count, height, width]),
      scores: maps.presence.map(EntityScore.absent))
  }
}
