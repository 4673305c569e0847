import Evaluation
import Generation
import Imaging
import MaskGrounding
import ObjectWorld
import TestSupport
import Testing

/// What grounding is asked, and what it could answer at best.
@Suite struct SubjectTests {
  /// With one thing a category, no cut-out is held out, but one of four places is.
  @Test func knownPicturesStandInHeldOutPlacesAndAbsentThingsAreNamedApart() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var drawn = DrawnPack()
    drawn.things = 1
    try drawn.write(to: folder.path)
    let pack = try WorldPack(path: folder.path)
    #expect(pack.heldOutCategories.isEmpty && pack.novelCategories.isEmpty)
    let composer = try SceneComposer(
      pack, classes: WorldClasses(pack), subset: .newScenes,
      settings: SceneSettings(objects: try ObjectCounts(1...2), side: 64))
    let held = Set(pack.places.filter(\.isHeldOut).map(\.file))
    #expect(held.count == 1)
    for index in 0..<12 {
      let scene = try composer.scene(run: 5, index: index)
      #expect(held.contains(scene.place))
      let absent = composer.absentClasses(from: scene, limit: 2)
      #expect(absent.count == 3 - scene.entities.count || absent.count == 2)
      #expect(absent == composer.absentClasses(from: scene, limit: 2))
      let shown = Set(scene.entities.map(\.classID))
      for position in absent {
        let (id, named) = composer.classes.classes[position]
        #expect(!shown.contains(id))
        let said = composer.prompt(for: scene, naming: position)
        #expect(said.mentions.count == scene.entities.count + 1)
        let mention = try #require(said.mentions.first { $0.classPosition == position })
        #expect(
          String(said.text.utf8.dropFirst(mention.range.lowerBound).prefix(mention.range.count))
            == named.words)
        #expect(!scene.prompt.contains(named.words))
      }
    }
    #expect(throws: GenerationError.self) {
      try ComposedSubjects(
        pack, classes: WorldClasses(pack),
        settings: SceneSettings(objects: try ObjectCounts(1...1), side: 64), seed: 0)
    }
  }

  @Test func theCeilingIsOneWhereAMaskFitsTheCellsAndNothingWhereItIsSmallerThanOne() throws {
    let entities = [
      Entity(name: "dog", classID: 3, words: "dog"), Entity(name: "cat", classID: 9, words: "cat"),
    ]
    var mask = try LabelMask(width: 32, height: 16, repeating: LabelMask.background)
    mask.relabel { $0 % 32 < 16 ? 3 : LabelMask.background }
    var tally = RegionTally()
    tally.add(
      truth: mask, prediction: try TruthCeiling.mask(mask, entities: entities, pixelsPerCell: 8),
      classes: [3])
    #expect(tally.intersectionOverUnion(3) == 1)
    mask.relabel { $0 == 100 ? 9 : LabelMask.background }
    let small = try TruthCeiling.mask(mask, entities: entities, pixelsPerCell: 8)
    #expect(small.ids.allSatisfy { $0 == LabelMask.background })
    #expect(try TruthCeiling.mask(mask, entities: entities, pixelsPerCell: 1) == mask)
  }
}
