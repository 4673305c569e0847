import DatasetFormat
import Generation
public import Imaging
import MaskGrounding
public import ObjectWorld
import TensorCore

/// Composed scenes of what no training reads, as an evaluation asks for them.
///
/// Where a pack has categories without held-out cut-outs, every second scene shows those in places that are held out;
/// the others show held-out cut-outs.
public struct ComposedSubjects: Sendable {
  /// A scene as a picture to look at.
  public struct Picture: Sendable {
    /// What is known of it.
    public let subject: GroundingSubject
    /// Its pixels.
    public let image: PixelImage
    /// The seed of its noise.
    public let noiseSeed: UInt64
  }

  /// The parts of the table that have figures of their own; the first is all that is held out.
  public let groups: [GroundingReport.Group]
  private let composers: [(kind: GroundingSubject.Kind, composer: SceneComposer)]
  private let seed: UInt64

  /// Prepares scenes.
  ///
  /// - Parameters:
  ///   - pack: where cut-outs and places come from.
  ///   - classes: what they are called.
  ///   - settings: what scenes are like.
  ///   - seed: scene i follows from it and i alone.
  /// - Throws: `GenerationError` where the pack has nothing held out that scenes can be made of.
  public init(
    _ pack: WorldPack, classes: WorldClasses, settings: SceneSettings, seed: UInt64
  ) throws {
    guard pack.places.contains(where: \.isHeldOut), !pack.heldOutCategories.isEmpty else {
      throw GenerationError(
        .malformed, pack.path,
        "holds out no \(pack.heldOutCategories.isEmpty ? "cut-out" : "background"); an evaluation needs both: mark "
          + "some in pack.json, or add things and places until some are held out by themselves")
    }
    var composers: [(kind: GroundingSubject.Kind, composer: SceneComposer)] = [
      (
        .heldOut,
        try SceneComposer(pack, classes: classes, subset: .test, settings: settings)
      )
    ]
    let known = Set(pack.categories.indices).subtracting(pack.heldOutCategories)
    if classes.ids(of: known).count >= settings.objects.most {
      composers.append(
        (
          .newScenes,
          try SceneComposer(pack, classes: classes, subset: .newScenes, settings: settings)
        ))
    }
    self.composers = composers
    let novel = classes.ids(of: pack.novelCategories)
    groups = [
      .init(name: "held_out", title: "all held out", kind: .heldOut),
      .init(name: "novel_things", title: "novel things", kind: .heldOut, classes: novel),
      .init(
        name: "novel_views", title: "new views of known things", kind: .heldOut,
        classes: classes.ids(of: pack.heldOutCategories).subtracting(novel)),
      .init(
        name: "new_scenes", title: "known pictures in new scenes", kind: .newScenes),
    ]
    self.seed = seed
  }

  /// Some scenes.
  ///
  /// - Throws: `GenerationError` where a picture cannot be read or no layout will do.
  public func pictures(_ indices: Range<Int>) throws -> [Picture] {
    try Parallel.map(indices.count) { try picture(indices.lowerBound + $0) }
  }

  private func picture(_ index: Int) throws -> Picture {
    let (kind, composer) = composers[index % composers.count]
    let scene = try composer.scene(run: seed, index: index)
    let absent = composer.absentClasses(from: scene, limit: 2)
    func entity(_ position: Int, words: String? = nil, mention: Range<Int>? = nil) -> Entity {
      let (id, named) = composer.classes.classes[position]
      let words = words ?? named.words
      return Entity(
        name: named.name, classID: id, words: words,
        synonyms: ([named.words] + named.aliases).filter { $0 != words }, mention: mention)
    }
    let entities = scene.entities.map { shown in
      entity(composer.position(of: shown), words: shown.words, mention: shown.range)
    }
    var subject = GroundingSubject(
      kind: kind, prompt: scene.prompt, entities: entities, truth: scene.mask)
    if let position = absent.first {
      subject.unnamed = entity(position)
    }
    if let position = absent.last {
      let said = composer.prompt(for: scene, naming: position)
      let named = said.mentions.map { mention in
        (
          mention.classPosition,
          entity(mention.classPosition, words: mention.words, mention: mention.range)
        )
      }
      subject.falseMention = named.first { $0.0 == position }.map { absent in
        .init(
          prompt: said.text, shown: named.filter { $0.0 != position }.map(\.1), absent: absent.1)
      }
    }
    return Picture(
      subject: subject, image: scene.image,
      noiseSeed: SampleSeed.derive(run: scene.seed, index: 0, attempt: 0))
  }
}
