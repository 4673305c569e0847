public import LatentDiffusion

/// A way to read, from the U-Net that makes a picture, where entities are in it.
public protocol MaskSource: Sendable {
  /// Whether it reads the predictions without the text too; the U-Net is then asked for both.
  var needsUnconditional: Bool { get }
  /// Whether queries need an ``EntityQuery/embedding``.
  var usesEmbeddings: Bool { get }

  /// Starts to read one batch of samples.
  func reading(of batch: ReadingBatch) -> any MaskReading
}

/// What a source reads from: some samples that go through the U-Net together.
public struct ReadingBatch: Sendable, Equatable {
  /// The number of samples, n.
  public var sampleCount: Int
  /// The number of U-Net calls.
  public var stepCount: Int
  /// Whether the U-Net's batch is n samples without the text and then the same n with it, or only the latter.
  public var hasUnconditional: Bool

  /// Describes a batch.
  public init(sampleCount: Int, stepCount: Int, hasUnconditional: Bool) {
    self.sampleCount = sampleCount
    self.stepCount = stepCount
    self.hasUnconditional = hasUnconditional
  }
}

/// A source at work on one batch: it listens to the U-Net, and is then asked for maps.
///
/// What it says of a sample must not depend on the batch the sample is in.
public protocol MaskReading: AnyObject {
  /// What the U-Net is to hand out at a step (from 0) with its timestep; nil for nothing.
  func taps(step: Int, timestep: Int) -> UNetTaps?

  /// The maps of a sample (from 0), after the last step.
  ///
  /// - Throws: where the model and the source do not go together.
  func maps(sample: Int, queries: [EntityQuery]) throws -> EntityMaps
}
