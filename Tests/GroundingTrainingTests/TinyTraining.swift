import DatasetFormat
import Foundation
import Generation
import GroundingTraining
import MaskGrounding
import ObjectWorld
import TestSupport

/// A pack of shapes, the tiny model, and a folder that goes away.
struct TinyTraining {
  let folder: TemporaryFolder
  let model: LoadedModel
  let fingerprint: ModelFingerprint
  let pack: WorldPack
  let classes: TrainingClasses

  init(seenShare: Double? = nil) throws {
    folder = try TemporaryFolder()
    try DrawnPack().write(to: folder.path + "/pack")
    pack = try WorldPack(path: folder.path + "/pack")
    let plain = try StableDiffusionModel(
      path: Fixture.folder.appendingPathComponent("diffusion/tiny-sd1").path)
    model = try LoadedModel(plain)
    fingerprint = try ModelFingerprint(plain)
    classes = try TrainingClasses(
      WorldClasses(pack).classes, seenShare: seenShare, place: pack.path)
  }

  func path(_ name: String) -> String { folder.path + "/" + name }

  func settings(steps: Int) -> GroundingTrainingSettings {
    var settings = GroundingTrainingSettings(steps: steps, samplingSteps: 3)
    (settings.batch, settings.width, settings.layers) = (4, 32, 1)
    settings.learningRate = 2e-3
    return settings
  }

  func world(seed: UInt64 = 3) throws -> WorldExamples {
    try WorldExamples(
      pack, digest: "pack", classes: classes, objects: ObjectCounts(parsing: "1-2"), side: 32,
      seed: seed)
  }

  func run(_ settings: GroundingTrainingSettings, _ examples: any ExampleSource) throws
    -> GroundingTrainingRun
  {
    try GroundingTrainingRun(
      settings, examples: examples, model: model, fingerprint: fingerprint, numerics: "test")
  }

  /// A run of composed scenes in a folder.
  func composed(_ name: String, count: Int, side: Int) throws -> RunContents {
    let composer = try SceneComposer(
      pack, classes: WorldClasses(pack), subset: .train,
      settings: SceneSettings(objects: ObjectCounts(parsing: "1-2"), side: side))
    let run = CompositionRun(composer, packDigest: "pack", count: count, seed: 9, shardSize: 4)
    let folder = try RunFolder.open(
      path: path(name), configuration: run.configuration, classes: composer.classes.table(),
      layout: run.layout, numerics: run.numericsFingerprint)
    _ = try run.fill(folder, shards: Array(0..<run.layout.shardCount)) { _ in }
    try folder.close()
    return try RunContents.open(path: path(name))
  }
}
