public import LatentDiffusion

/// The shape of a grounding module and the U-Net it was made for.
public struct GroundingConfiguration: Sendable, Equatable {
  /// Where batch normalisation takes mean and variance from.
  public enum Statistics: String, Sendable, CaseIterable {
    /// What was gathered in training.
    case running
    /// The one picture itself, as the published demonstration does.
    case image
  }

  /// How the vectors of a query's tokens become one.
  public enum Pooling: String, Sendable, CaseIterable {
    /// Their mean.
    case mean
    /// The last one.
    case last
  }

  /// What is read at one size of the U-Net's maps.
  public struct Level: Sendable, Equatable {
    /// Channels that all of the level's maps are projected to together.
    public var width: Int
    /// Channels of each block whose output has this size, in call order.
    public var channels: [Int]

    /// Describes a level.
    public init(width: Int, channels: [Int]) {
      self.width = width
      self.channels = channels
    }
  }

  /// The levels, the latents' own size first (as ``LatentDiffusion/UNetBlock/level`` counts).
  public var levels: [Level]
  /// Whether the maps of both predictions are read, without the text and with it, or the latter only.
  public var readsUnconditional: Bool
  /// Width of a query's embedding.
  public var textWidth: Int
  /// Width of the decoder.
  public var width: Int
  /// Attention heads of the decoder.
  public var heads: Int
  /// Layers of the decoder.
  public var layers: Int
  /// Width inside the decoder's feed-forward layers.
  public var hiddenWidth: Int
  /// Side of the patches that become the decoder's tokens, in latent cells.
  public var patch: Int
  /// Where mean and variance come from unless said otherwise.
  public var statistics: Statistics
  /// Whether batch normalisation has a scale and a shift of its own.
  public var hasAffineNorms: Bool
  /// Whether the 3×3 convolutions are stored with a vector `u0` from which their largest singular value is estimated,
  /// by which they are divided.
  public var hasSpectralNorm: Bool
  /// ε of batch normalisation.
  public var epsilon: Float
  /// Whether the module says by itself how sure it is that an entity is there.
  public var hasPresence: Bool
  /// The presence from which on an entity counts as being there unless said otherwise, 0...1.
  public var presenceThreshold: Float
  /// The U-Net calls that are read; the maps of several are averaged.
  public var steps: [GroundingStep]
  /// What the U-Net predicts; nil where the file does not say.
  public var prediction: SchedulerConfiguration.Prediction?
  /// Pixels of a side that become one latent cell.
  public var pixelsPerCell: Int
  /// What a query's sentence begins with; the class follows.
  public var queryPrefix: String
  /// How the vectors of the class's tokens become one.
  public var pooling: Pooling

  /// As likely there as not.
  static let usualPresenceThreshold: Float = 0.5

  /// Describes the module that fits a U-Net.
  ///
  /// The finest level gets `finestWidth` channels and each coarser one half of the one before, at least 8: 128, 64, 32,
  /// 16 for Stable Diffusion, as published.
  public init(
    for unet: UNetConfiguration, prediction: SchedulerConfiguration.Prediction?,
    pixelsPerCell: Int = 8, finestWidth: Int = 128, width: Int = 512, heads: Int = 8,
    layers: Int = 3
  ) {
    levels = Self.channels(of: unet.blocks).enumerated().map { level, channels in
      Level(width: max(8, finestWidth >> level), channels: channels)
    }
    readsUnconditional = true
    textWidth = unet.textWidth
    (self.width, self.heads, self.layers) = (width, heads, layers)
    hiddenWidth = 4 * width
    patch = 4
    statistics = .running
    hasAffineNorms = true
    hasSpectralNorm = false
    epsilon = 1e-5
    hasPresence = true
    presenceThreshold = Self.usualPresenceThreshold
    steps = [.fromEnd(0)]
    self.prediction = prediction
    self.pixelsPerCell = pixelsPerCell
    queryPrefix = "a photograph of a"
    pooling = .mean
  }

  private init(publishedLevels: [Level]) {
    levels = publishedLevels
    readsUnconditional = true
    textWidth = 768
    (width, heads, layers, hiddenWidth, patch) = (512, 8, 3, 2048, 4)
    statistics = .running
    hasAffineNorms = false
    hasSpectralNorm = true
    epsilon = 1e-4
    hasPresence = false
    presenceThreshold = Self.usualPresenceThreshold
    steps = [.timestep(1)]
    prediction = .noise
    pixelsPerCell = 8
    queryPrefix = "a photograph of a"
    pooling = .mean
  }

  /// The module of Li et al., "Open-vocabulary Object Segmentation with Diffusion Models" (ICCV 2023), for Stable
  /// Diffusion 1.
  ///
  /// - Source: Lipurple/Grounded-Diffusion `ldm/models/seg_module.py`.
  public static let published = GroundingConfiguration(publishedLevels: [
    Level(width: 128, channels: [320, 320, 320, 640, 320, 320, 320]),
    Level(width: 64, channels: [320, 640, 640, 1280, 640, 640]),
    Level(width: 32, channels: [640, 1280, 1280, 1280, 1280, 1280]),
    Level(width: 16, channels: [1280, 1280, 1280, 1280, 1280, 1280]),
  ])

  /// Channels of the map that masks are read from.
  public var mapWidth: Int { levels.reduce(0) { $0 + $1.width } }

  /// The channels of each level's blocks in call order, the latents' own size first.
  static func channels(of blocks: [UNetBlock]) -> [[Int]] {
    let count = (blocks.map(\.level).max() ?? -1) + 1
    return (0..<count).map { level in blocks.filter { $0.level == level }.map(\.channels) }
  }
}
