import Checkpoints
import DatasetFormat
import Generation
import Imaging
import MaskGrounding
public import ModelTraining
public import ObjectWorld
import TensorCore

/// Trains a segmenter on composed scenes of all classes, and says what it is worth on scenes that are held out.
public struct SegmenterTraining: Sendable {
  /// The most classes.
  public static let classLimit = 4096
  /// The sides that scenes may have.
  public static let sides = 32...1024
  /// The file of the weights.
  public static let weightsFile = "segmenter.safetensors"
  /// The file of the state that a training goes on from.
  public static let stateFile = "state.safetensors"

  /// What decides what comes out.
  public struct Settings: Sendable {
    /// Steps in all.
    public var steps: Int
    /// Scenes of a step.
    public var batch: Int
    /// The highest learning rate.
    public var learningRate: Double
    /// The seed of weights and scenes.
    public var seed: UInt64
    /// Channels of the network's maps.
    public var widths: [Int]
    /// Held-out scenes that it is measured on.
    public var testCount: Int

    /// Names the settings.
    public init(
      steps: Int, batch: Int = 16, learningRate: Double = 2e-3, seed: UInt64 = 0,
      widths: [Int] = [24, 48, 96, 144], testCount: Int = 400
    ) {
      (self.steps, self.batch, self.learningRate, self.seed) = (steps, batch, learningRate, seed)
      (self.widths, self.testCount) = (widths, testCount)
    }
  }

  /// What came out.
  public struct Result: Sendable {
    /// The weights' file.
    public let path: String
    /// Mean intersection over union on held-out scenes, the classes of a scene competing; nil where none was measured.
    public let meanIoU: Double?
    /// The same where all classes compete.
    public let openIoU: Double?
    /// The loss of the last step; nil where nothing was left to do.
    public let loss: Float?
  }

  private let composer: SceneComposer
  private let test: SceneComposer?
  private let settings: Settings
  private let names: [String]
  /// The number of each class id in the network's output.
  private let places: [Int: Int]

  /// Prepares a training.
  ///
  /// - Parameters:
  ///   - pack: where cut-outs and places come from.
  ///   - classes: what they are called; all of them are learnt.
  ///   - scenes: what scenes are like.
  ///   - settings: how it is trained.
  /// - Throws: `GenerationError` where scenes cannot be made.
  public init(
    _ pack: WorldPack, classes: WorldClasses, scenes: SceneSettings, settings: Settings
  ) throws {
    guard scenes.side % 16 == 0, Self.sides ~= scenes.side else {
      throw GenerationError(
        .usage, "--size",
        "found \(scenes.side), expected a multiple of 16 from \(Self.sides.lowerBound) to \(Self.sides.upperBound)"
      )
    }
    composer = try SceneComposer(pack, classes: classes, subset: .train, settings: scenes)
    let canTest = pack.places.contains(where: \.isHeldOut) && !pack.heldOutCategories.isEmpty
    test =
      canTest && settings.testCount > 0
      ? try SceneComposer(pack, classes: classes, subset: .test, settings: scenes) : nil
    self.settings = settings
    let shown = composer.shownClasses.map { classes.classes[$0] }
    guard shown.count <= Self.classLimit else {
      throw GenerationError(
        .malformed, pack.path, "has \(shown.count) classes; at most \(Self.classLimit) are learnt")
    }
    names = shown.map(\.named.name)
    places = Dictionary(
      uniqueKeysWithValues: shown.enumerated().map { ($1.id, $0 + 1) })
  }

  private var training: TrainingSettings {
    TrainingSettings(
      optimizer: .adamW(.init(weightDecay: 0.01)), learningRate: settings.learningRate,
      schedule: LearningRateSchedule(
        .cosine(end: 0.02), total: settings.steps,
        warmUp: min(100, settings.steps / 10)),
      gradientLimit: 1, seed: settings.seed)
  }

  /// Everything beside the settings that a state is only gone on with under.
  private func task(_ digest: String) -> String {
    let scenes = composer.settings
    return
      "segmenter of \(names.count) classes of \(digest), side \(scenes.side), batch \(settings.batch), objects "
      + "\(scenes.objects.weights), widths \(settings.widths)"
  }

  /// Trains, or goes on with a training that was stopped.
  ///
  /// - Parameters:
  ///   - folder: where weights and state are written; must be there.
  ///   - watch: told the step and its loss; throwing ends the work, the state of the last save stays.
  /// - Returns: what came out.
  /// - Throws: what `watch` throws, `CheckpointError`, `TrainingError`, `GenerationError`.
  public func run(
    in folder: String, watch: (Trainer.StepReport) throws -> Void
  ) throws -> Result {
    let configuration = SegmenterConfiguration(
      classes: names, widths: settings.widths, side: composer.settings.side)
    let statePath = "\(folder)/\(Self.stateFile)"
    let task = task(try composer.pack.check())
    var trainer =
      FileAccess.isFile(statePath)
      ? try Trainer(resuming: statePath, training, task: task)
      : try Trainer(
        SegmenterNetwork.random(configuration, seed: settings.seed), training, task: task)
    var loss: Float?
    while !trainer.isFinished {
      let (pictures, labels) = try batch(trainer.state.step)
      let report = try trainer.step { weights, _ in
        let network = try SegmenterNetwork(weights, configuration)
        return crossEntropy(network(pictures), classes: labels, ignored: -1)
      }
      loss = report.loss
      if trainer.state.step % 200 == 0 || trainer.isFinished { try trainer.save(to: statePath) }
      try watch(report)
    }
    return try finish(trainer.state.weights, configuration, folder: folder, loss: loss)
  }

  /// Scenes of a step, and the class of every cell of a quarter of their resolution.
  private func batch(_ step: Int) throws -> (pictures: Tensor, labels: [Int]) {
    let scenes = try Parallel.map(settings.batch) { place in
      try composer.scene(run: settings.seed, index: step * settings.batch + place)
    }
    return (Segmenter.values(of: scenes.map(\.image)), scenes.flatMap { labels($0.mask) })
  }

  /// The class that has most pixels of a cell, the lower id where two have as many.
  private func labels(_ mask: LabelMask) -> [Int] {
    var labels: [Int] = []
    for row in stride(from: 0, to: mask.height, by: 4) {
      for column in stride(from: 0, to: mask.width, by: 4) {
        var counts: [UInt16: Int] = [:]
        for y in row..<row + 4 {
          for x in column..<column + 4 { counts[mask.ids[y * mask.width + x], default: 0] += 1 }
        }
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 0
        labels.append(most == LabelMask.background ? 0 : places[Int(most)] ?? 0)
      }
    }
    return labels
  }

  private func finish(
    _ weights: [String: Tensor], _ configuration: SegmenterConfiguration, folder: String,
    loss: Float?
  ) throws -> Result {
    let path = "\(folder)/\(Self.weightsFile)"
    let segmenter = try Segmenter(
      WeightScope(DictionarySource(weights, name: path)), configuration, path: path)
    let (own, open) = try measured(segmenter)
    var final = configuration
    final.ownIoU = own
    try Segmenter.write(weights, final, to: path)
    return Result(path: path, meanIoU: own, openIoU: open, loss: loss)
  }

  /// Mean intersection over union on held-out scenes: where a scene's classes compete, and where all do.
  private func measured(_ segmenter: Segmenter) throws -> (Double?, Double?) {
    guard let test else { return (nil, nil) }
    let known = Set(names)
    let all = composer.classes.classes.filter { known.contains($0.named.name) }
      .map { (name: $0.named.name, id: $0.id) }
    var (own, open) = (RegionTally(), RegionTally())
    for index in 0..<settings.testCount {
      let scene = try test.scene(run: settings.seed, index: index)
      let classes = scene.entities.map { (name: $0.name, id: $0.classID) }
        .filter { known.contains($0.name) }
      let ids = classes.map(\.id)
      own.add(
        truth: scene.mask, prediction: try segmenter.mask(of: scene.image, naming: classes),
        classes: ids)
      open.add(
        truth: scene.mask, prediction: try segmenter.mask(of: scene.image, naming: all),
        classes: ids)
    }
    return (
      own.mean(RegionTally.intersectionOverUnion), open.mean(RegionTally.intersectionOverUnion)
    )
  }
}
