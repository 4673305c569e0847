public import LatentDiffusion

/// How long a run takes on this machine, from a short measurement.
public struct RunTimeEstimate: Sendable, Equatable {
  /// Steps of the two short runs that are compared.
  private static let stepCounts = (few: 2, more: 4)
  /// Runs shorter than this, in seconds, are taken twice, and the first is not counted.
  private static let shortRun = 3.0

  /// Seconds before the first sample.
  public let loading: Double
  /// Seconds of a batch of samples.
  public let batch: Double
  /// Samples of a batch.
  public let batchSize: Int

  /// Makes the run's first batch with few steps, masks included, and with a few more.
  ///
  /// Left out are writing, and attempts at samples that are rejected.
  ///
  /// - Parameters:
  ///   - plan: the samples.
  ///   - model: the model.
  ///   - settings: how each is sampled.
  ///   - masks: how masks are read; nil for pictures alone.
  ///   - batchSize: samples that go through the model together.
  ///   - tiling: whether large pictures are decoded piece by piece.
  ///   - watch: called after each step; throwing ends the work.
  /// - Throws: what `watch` throws, `CheckpointError`, `DiffusionError` or ``GenerationError``.
  public init(
    _ plan: GenerationPlan, model: StableDiffusionModel, settings: SamplingSettings,
    masks: MaskSettings?, batchSize: Int, tiling: AutoencoderTiling = .auto,
    watch: () throws -> Void
  ) throws {
    self.batchSize = min(batchSize, plan.count)
    let clock = ContinuousClock()
    var loading = 0.0
    let indices = Array(0..<self.batchSize)
    func seconds(steps: Int) throws -> Double {
      var settings = settings
      settings.steps = steps
      var maker: SampleMaker?
      loading =
        try clock.measure {
          maker = try SampleMaker(
            model: model, plan: plan, settings: settings, masks: masks, tiling: tiling)
        } / .seconds(1)
      guard let maker else { preconditionFailure("a maker was made and is not there") }
      func once() throws -> Double {
        try clock.measure { _ = try maker.make(indices) { _ in try watch() } } / .seconds(1)
      }
      let first = try once()
      return first > Self.shortRun ? first : try min(first, once(), once())
    }
    if settings.steps <= Self.stepCounts.more {
      batch = try seconds(steps: settings.steps)
    } else {
      let few = try seconds(steps: Self.stepCounts.few)
      let more = try seconds(steps: Self.stepCounts.more)
      let step = max(0, more - few) / Double(Self.stepCounts.more - Self.stepCounts.few)
      batch = more + step * Double(settings.steps - Self.stepCounts.more)
    }
    self.loading = loading
  }

  /// Seconds of a run of `count` samples.
  public func seconds(_ count: Int) -> Double {
    loading + batch * Double(count) / Double(batchSize)
  }
}
