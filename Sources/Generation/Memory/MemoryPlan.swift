import Checkpoints
public import LatentDiffusion
import MaskGrounding
import TensorCore

/// How much memory a run takes at its peak, counted before it takes any.
///
/// Weights are counted from the files. What is computed is counted by taking the layers' tensors from a pool that
/// keeps only figures, in the order of a run: loading, two batches of two steps, decoding, masks.
public struct MemoryPlan: Sendable, Equatable {
  /// What a run is like, as far as its memory depends on it.
  public struct Request: Sendable {
    /// How pictures are sampled.
    public var settings: SamplingSettings
    /// How masks are read; nil for pictures alone.
    public var masks: MaskSettings?
    /// Entities of a picture, at most.
    public var entities: Int
    /// Pictures of the run.
    public var count: Int
    /// Whether large pictures are decoded piece by piece.
    public var tiling = AutoencoderTiling.auto
    /// Whether a picture is encoded before.
    public var encodes = false

    /// Describes a run.
    public init(
      settings: SamplingSettings, masks: MaskSettings? = nil, entities: Int = 0, count: Int = 1
    ) {
      self.settings = settings
      self.masks = masks
      self.entities = entities
      self.count = count
    }

    /// Describes the run of a plan.
    public init(_ plan: GenerationPlan, settings: SamplingSettings, masks: MaskSettings?) {
      let named = (0..<min(Self.lookedAt, plan.count)).map { plan.sample($0).mentions.count }
      self.init(
        settings: settings, masks: masks,
        entities: max(masks?.entities.count ?? 0, named.max() ?? 0), count: plan.count)
    }

    /// Samples that are looked at for how many entities one has.
    private static let lookedAt = 256
  }

  /// Bytes of weights, as they are kept.
  public let weights: Int
  /// Bytes at the peak.
  public let total: Int

  /// Bytes of the program itself, its libraries and tables, before anything is loaded.
  static let base = 34 << 20
  /// Bytes of scratch memory of a thread that computes, with its stack.
  static let threadBytes = 2 << 20
  /// Bytes that a piece of a tokenizer's vocabulary takes in its tables.
  static let pieceBytes = 600

  /// Counts.
  ///
  /// - Throws: `CheckpointError` where weights cannot be opened.
  public init(model: StableDiffusionModel, request: Request, batch: Int) throws {
    self.init(try MemoryCounter(model, request), batch: batch)
  }

  init(_ counter: MemoryCounter, batch: Int) {
    weights = counter.weightBytes
    total = counter.peak(batch: batch)
  }
}
