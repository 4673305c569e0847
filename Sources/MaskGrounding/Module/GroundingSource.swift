import Checkpoints
public import LatentDiffusion

/// Masks by a grounding module.
public struct GroundingSource: MaskSource {
  /// The module.
  public let module: GroundingModule
  /// The U-Net calls that are read.
  public let steps: [GroundingStep]
  private let pictureHeight: Int
  private let pictureWidth: Int
  private let places: Set<UNetBlock.Place>

  /// Prepares to read a U-Net.
  ///
  /// - Parameters:
  ///   - module: the module.
  ///   - file: its file, for messages.
  ///   - unet: the U-Net's shape.
  ///   - prediction: what it predicts; not compared where nil.
  ///   - pictureHeight: height of the maps that are asked for, in pixels.
  ///   - pictureWidth: their width.
  ///   - steps: the calls to read; the module's own choice where nil.
  /// - Throws: `CheckpointError` naming the channels that differ where the module was made for another U-Net.
  /// - Precondition: the picture has pixels, and a step is read.
  public init(
    module: GroundingModule, file: String, unet: UNetConfiguration,
    prediction: SchedulerConfiguration.Prediction? = nil, pictureHeight: Int, pictureWidth: Int,
    steps: [GroundingStep]? = nil
  ) throws {
    precondition(
      pictureHeight > 0 && pictureWidth > 0 && steps?.isEmpty != true,
      "grounding: \(pictureHeight)×\(pictureWidth), steps \(steps ?? [])")
    try module.configuration.checkFits(unet, prediction: prediction, file: file)
    self.module = module
    self.steps = steps ?? module.configuration.steps
    (self.pictureHeight, self.pictureWidth) = (pictureHeight, pictureWidth)
    places = Set(unet.blocks.map(\.place))
  }

  /// Whether the maps without the text are read too.
  public var needsUnconditional: Bool { module.configuration.readsUnconditional }
  /// Queries need an embedding.
  public var usesEmbeddings: Bool { true }

  /// Starts to read one batch of samples.
  public func reading(of batch: ReadingBatch) -> any MaskReading {
    GroundingReading(
      module, batch, steps: steps, pictureHeight: pictureHeight, pictureWidth: pictureWidth,
      places: places)
  }
}
