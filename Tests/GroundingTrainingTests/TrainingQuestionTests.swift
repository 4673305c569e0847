import Generation
import Imaging
import MaskGrounding
import Testing

import GroundingTraining

@Suite struct TrainingQuestionTests {
  private let classes: TrainingClasses

  init() throws {
    let names = ["dog", "cat", "mug", "umbrella", "car", "horse", "chair", "lamp"]
    classes = try TrainingClasses(
      names.enumerated().map { ($0 + 1, try VocabularyClass(name: $1, place: "test")) },
      seenShare: 0.75, place: "test")
  }

  private func example(_ prompt: String, shown: [Int]) throws -> TrainingExample {
    TrainingExample(
      picture: .pixels(try PixelImage(width: 8, height: 8, filledWith: Colour(0, 0, 0))),
      prompt: prompt, seed: 0, shown: shown,
      masks: ExampleMasks(planes: [:], width: 8, height: 8))
  }

  private func questions(_ example: TrainingExample, _ count: Int) throws -> [TrainingQuestion] {
    let choice = TrainingQuestion.Choice(example, classes: classes)
    return (0..<count).map { place in
      let size = TrainingQuestion.size(step: place, seed: 5, most: 4, choices: [choice])
      return TrainingQuestion(
        choice, prompt: example.prompt, place: place, seed: 5, count: size, classes: classes)
    }
  }

  @Test func questionsAskForWhatIsThereAndWhatIsNot() throws {
    let asked = try questions(
      try example("a photo of a dog and a mug on grass", shown: [1, 3]), 600)
    var (absent, named, full) = (0, 0, 0)
    for question in asked {
      #expect(1...4 ~= question.entities.count && question.entities.count == question.isShown.count)
      #expect(Set(question.entities.map(\.classID)).count == question.entities.count)
      var namedHere = 0
      for (entity, isShown) in zip(question.entities, question.isShown) {
        #expect(isShown == [1, 3].contains(entity.classID) && !classes.isUnseen(entity.classID))
        if isShown { #expect(entity.isNamed) }
        if !isShown, entity.isNamed { namedHere += 1 }
        // What is named is asked for in the prompt's words.
        if let mention = entity.mention {
          #expect(Array(question.prompt.utf8)[mention] == Array(entity.words.utf8)[...])
        }
      }
      #expect(namedHere == question.namedAbsent)
      #expect(question.prompt.hasPrefix("a photo of a dog and a mug"))
      #expect(question.prompt.hasSuffix(" on grass"))
      absent += question.isShown.count { !$0 }
      named += question.namedAbsent
      if question.isShown.allSatisfy({ $0 }) { full += 1 }
    }
    #expect(absent > 400 && full > 100)
    #expect(abs(Double(named) / Double(absent) - 0.5) < 0.06, "\(named) of \(absent)")
    #expect(Set(asked.map(\.entities.count)) == [1, 2, 3, 4])
  }

  @Test func whatIsNamedAndNotMarkedIsNotAskedFor() throws {
    // A detector found no mug: it may be there all the same.
    for question in try questions(try example("a dog and a mug", shown: [1]), 100) {
      #expect(!question.entities.map(\.classID).contains(3))
    }
  }

  @Test func aPromptThatNamesNothingGetsTheAbsentAtItsEnd() throws {
    let prompts = try questions(try example("a quiet place", shown: [1]), 60).map(\.prompt)
    #expect(prompts.contains("a quiet place and an umbrella") == false, "the umbrella is unseen")
    #expect(prompts.contains("a quiet place and a mug") && prompts.contains("a quiet place"))
    let empty = try questions(try example("", shown: [1]), 60).map(\.prompt)
    #expect(empty.contains("a cat") && empty.allSatisfy { !$0.hasPrefix(" and") })
  }

  @Test func questionsDependOnTheirPlaceAlone() throws {
    let one = try example("a dog", shown: [1])
    let (first, second) = (try questions(one, 20), try questions(one, 40))
    for (a, b) in zip(first, second) {
      #expect(a.entities == b.entities && a.prompt == b.prompt && a.isShown == b.isShown)
    }
    #expect(Set(second.map(\.prompt)).count > 3)
  }

  @Test func masksAreSharesOfPixels() throws {
    var labels = try LabelMask(width: 3, height: 1, repeating: 0)
    (labels[0, 0], labels[1, 0]) = (7, LabelMask.ignored)
    func values(_ masks: ExampleMasks, _ id: Int) -> [Float] {
      var out = [Float](repeating: -1, count: 3)
      out.withUnsafeMutableBufferPointer { masks.write(id, to: $0) }
      return out
    }
    #expect(values(ExampleMasks(labels), 7) == [1, 0.5, 0] && ExampleMasks(labels).ids == [7])
    let planes = ExampleMasks(planes: [2: [255, 51, 0], 3: [0, 0, 0]], width: 3, height: 1)
    #expect(values(planes, 2) == [1, 0.2, 0] && values(planes, 9) == [0, 0, 0])
    #expect(planes.ids == [2])
  }
}
