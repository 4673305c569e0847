import Foundation
import Generation
import TestSupport
import Testing

import GroundingTraining

@Suite struct TrainingClassTests {
  private func classes(_ count: Int, _ splits: [Int: VocabularyClass.Split] = [:]) throws -> [(
    id: Int, named: VocabularyClass
  )] {
    try (1...count).map { id in
      (id, try VocabularyClass(name: "thing \(id)", place: "test").placed(splits[id] ?? .undecided))
    }
  }

  @Test func aShareLeavesOutClassesEvenly() throws {
    for (share, unseen) in [
      (0.75, [4, 8, 12, 16, 20]), (0.5, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]), (0.9, [10, 20]),
      (0.25, [2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16, 18, 19, 20]), (1, []),
    ] {
      let divided = try TrainingClasses(classes(20), seenShare: share, place: "test")
      #expect(divided.all.filter { $0.named.split == .unseen }.map(\.id) == unseen, "\(share)")
      #expect(divided.seen.count + unseen.count == 20)
      #expect(
        unseen.allSatisfy(divided.isUnseen)
          && !divided.seen.map(\.id).contains(where: divided.isUnseen))
    }
  }

  @Test func whatClassesSayThemselvesCounts() throws {
    let none = try TrainingClasses(classes(3), place: "test")
    #expect(none.seen.map(\.id) == [1, 2, 3])
    // With a split, a class on neither side is not learnt.
    let some = try TrainingClasses(classes(4, [1: .unseen, 3: .seen, 4: .seen]), place: "test")
    #expect(some.seen.map(\.id) == [3, 4] && some.isUnseen(1) && some.isUnseen(2))
    let error = try #require(throws: GenerationError.self) {
      try TrainingClasses(classes(4, [1: .unseen]), place: "list.tsv")
    }
    #expect(error.code == .malformed && error.place == "list.tsv")
    #expect(error.message.hasPrefix("none of its 4 classes is marked seen"))
  }

  @Test func theWorldsOwnSplitIsEveryFourth() throws {
    let library = try TemplateLibrary(
      explicit: Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Templates").path)
    let vocabulary = try library.vocabulary("objectworld")
    let own = try TrainingClasses(
      vocabulary.splitting(by: library.split("objectworld")).numbered, place: "test")
    let share = try TrainingClasses(vocabulary.numbered, seenShare: 0.75, place: "test")
    #expect(own.seen.count == 207 && own.seen.map(\.id) == share.seen.map(\.id))
  }
}
