public import CanonicalJSON
public import Generation
import Imaging
import MaskGrounding
public import ObjectWorld
import TensorCore

/// Scenes composed of a pack's things, a new one at every place: of what is not held out, and of seen classes alone.
public struct WorldExamples: ExampleSource {
  /// How often another scene is taken where a prompt names an unseen class as its place.
  private static let attemptLimit = 64

  /// What the scenes show, and what they do not.
  public let classes: TrainingClasses
  private let composer: SceneComposer
  private let packDigest: String
  private let seed: UInt64

  /// Prepares scenes.
  ///
  /// - Parameters:
  ///   - pack: the pack.
  ///   - digest: of its content, see `WorldPack.check()`.
  ///   - classes: which of its categories are seen.
  ///   - objects: how many classes a scene shows.
  ///   - side: width and height in pixels.
  ///   - seed: of the scenes.
  /// - Throws: `GenerationError` where the pack has too few of the seen classes.
  public init(
    _ pack: WorldPack, digest: String, classes: TrainingClasses, objects: ObjectCounts, side: Int,
    seed: UInt64
  ) throws {
    self.classes = classes
    composer = try SceneComposer(
      pack, classes: WorldClasses(pack, classes: classes.all, place: pack.path), subset: .train,
      settings: SceneSettings(objects: objects, side: side, only: .seen))
    packDigest = digest
    self.seed = seed
  }

  /// Width and height of the scenes.
  public var side: (width: Int, height: Int) { (composer.settings.side, composer.settings.side) }

  /// What decides the scenes.
  public var json: JSONValue {
    [
      "kind": "composed", "world_sha256": .string(packDigest),
      "scene_version": .integer(Int64(CompositionRun.sceneVersion)),
      "objects": composer.settings.objects.json,
      "doubles": .integer(Int64(composer.settings.doubles)), "side": .integer(Int64(side.width)),
      "seed": .string(String(seed)),
    ]
  }

  /// The scenes of some places.
  ///
  /// - Throws: `GenerationError` where a picture cannot be read or no scene comes about.
  public func examples(_ places: Range<Int>) throws -> [TrainingExample] {
    try Parallel.map(places.count) { try example(places.lowerBound + $0) }
  }

  private func example(_ place: Int) throws -> TrainingExample {
    for attempt in 0..<Self.attemptLimit {
      let seed = SampleSeed.derive(
        run: self.seed, index: UInt64(place), attempt: UInt64(attempt))
      let scene = try composer.scene(seed: seed)
      // "under a tree": places have words too, and those of an unseen class must not be learnt.
      guard !classes.named(in: scene.prompt).contains(where: { classes.isUnseen($0.classID) })
      else { continue }
      return TrainingExample(
        picture: .pixels(scene.image), prompt: scene.prompt, seed: seed,
        shown: scene.entities.map(\.classID), masks: ExampleMasks(scene.mask))
    }
    throw GenerationError(
      .malformed, composer.pack.path,
      "\(Self.attemptLimit) scenes in a row have a prompt that names an unseen class; its backgrounds' words in "
        + "\(WorldPack.descriptionFile) do")
  }
}
