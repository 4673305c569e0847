public import Imaging
import LatentDiffusion
import MaskGrounding
import TensorCore

/// Looks where a model sees entities, in a picture that it makes or in one that it is given.
public final class Inspector {
  /// What to look at.
  public enum Subject: Sendable {
    /// A picture made from the prompt: the first sample of a run with this seed.
    case made(seed: UInt64)
    /// A picture that is there, of any size.
    case given(PixelImage, PictureInverter.Settings)
  }

  /// How to look.
  public struct Settings: Sendable {
    /// How a picture is made, or how a given one is inverted.
    public var sampling: SamplingSettings
    /// What to look for and how.
    public var masks: MaskSettings
    /// Whether to say, too, what is seen at each step alone.
    public var sweepsSteps: Bool

    /// Describes an inspection.
    public init(sampling: SamplingSettings, masks: MaskSettings, sweepsSteps: Bool = false) {
      self.sampling = sampling
      self.masks = masks
      self.sweepsSteps = sweepsSteps
    }
  }

  private let model: LoadedModel
  private let settings: Settings
  private let source: LoadedMaskSource
  private let finder: EntityFinder

  /// Loads what reads masks.
  ///
  /// - Throws: `EntityError` where an entity cannot be one, `CheckpointError` where the source does not go with the
  ///   model, ``GenerationError`` where the settings do not.
  public init(_ model: LoadedModel, _ settings: Settings) throws {
    try settings.sampling.check(pixelsPerCell: model.model.pixelsPerCell)
    self.model = model
    self.settings = settings
    source = try LoadedMaskSource(model, settings.masks, sampling: settings.sampling)
    finder = EntityFinder(try EntityList.entities(settings.masks.entities))
  }

  /// Looks.
  ///
  /// - Parameters:
  ///   - prompt: what the picture shows, or is to show.
  ///   - subject: the picture.
  ///   - onStep: called after each step with the share done, 0...1; throwing ends the work.
  /// - Returns: what was found.
  /// - Throws: `DiffusionError` where numbers leave their range, and what `onStep` throws.
  public func inspect(
    _ prompt: String, _ subject: Subject, onStep: (Double) throws -> Void
  ) throws -> Inspection {
    let timesteps = try self.timesteps(of: subject)
    let entities = finder.located(in: prompt)
    let asked = try source.queries(for: entities, prompt: prompt)
    let drawn = Self.drawnSteps(timesteps.count)
    var steps: [Inspection.Step] = []
    let look = Look(
      model: model, sampling: settings.sampling, source: source.source,
      stepSources: try stepSources(timesteps.count), prompt: prompt, timesteps: timesteps
    ) { [self] step, reading in
      let found = try source.compose(try reading.maps(sample: 0, queries: asked), entities)
      steps.append(
        Inspection.Step(
          step: step, timestep: timesteps[step], scores: found.scores,
          maps: drawn.contains(step)
            ? try entities.indices.map { try InspectionPanel.smallMap($0, of: found) } : []))
    }
    let image =
      switch subject {
      case .made(let seed): try look.make(seed: seed, onStep: onStep)
      case .given(let image, let inversion): try look.invert(image, inversion, onStep: onStep)
      }
    let composed = try source.compose(try look.reading.maps(sample: 0, queries: asked), entities)
    return Inspection(
      image: image, entities: entities, composed: composed, steps: steps, notices: notices(asked))
  }

  /// The steps of a sweep that a panel shows: at most twelve, spread evenly, both ends among them.
  static func drawnSteps(_ count: Int) -> Set<Int> {
    let shown = min(count, InspectionPanel.columnLimit)
    guard shown > 1 else { return [0] }
    return Set((0..<shown).map { (2 * $0 * (count - 1) + shown - 1) / (2 * (shown - 1)) })
  }

  private func timesteps(of subject: Subject) throws -> [Int] {
    let steps = settings.sampling.steps
    switch subject {
    case .made:
      return try model.model.scheduler(settings.sampling)
        .start(stepCount: steps, eta: Float(settings.sampling.eta)).timesteps
    case .given:
      return try DDIMScheduler(model.model.schedulerConfiguration()).timesteps(stepCount: steps)
    }
  }

  /// For each step a source that reads that step alone.
  private func stepSources(_ count: Int) throws -> [any MaskSource] {
    guard settings.sweepsSteps else { return [] }
    return try (0..<count).map { try source.reading(step: $0, of: count).source }
  }

  /// One line for each thing that there is to tell, however many entities it is about.
  private func notices(_ queries: [EntityQuery]) -> [String] {
    guard source.source is AttentionSource else { return [] }
    var lines: [String] = []
    var rest = AttentionSource.notices(for: queries)[...]
    while let first = rest.popFirst() {
      let others = rest.filter { $0.reason == first.reason }
      rest = rest.filter { $0.reason != first.reason }[...]
      let names = others.prefix(Self.namesInALine).map { "\"\($0.entity)\"" }
      let more = others.count > names.count ? ", …" : ""
      lines.append(
        others.isEmpty
          ? first.description
          : "\(first.description); so it is with \(others.count) more: "
            + names.joined(separator: ", ") + more)
    }
    return lines
  }

  private static let namesInALine = 8
}
