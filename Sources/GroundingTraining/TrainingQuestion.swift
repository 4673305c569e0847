package import Generation
package import MaskGrounding

/// What is asked of a training picture: some classes that it shows and some that it does not, of which a half stands in
/// the prompt all the same.
package struct TrainingQuestion {
  /// The prompt that the features are read with.
  package let prompt: String
  /// What is asked for.
  package let entities: [Entity]
  /// Whether each is in the picture.
  package let isShown: [Bool]
  /// How many absent ones the prompt names.
  package let namedAbsent: Int

  /// What may be asked of a picture.
  package struct Choice {
    /// Seen classes that it shows.
    package let present: [(id: Int, named: VocabularyClass)]
    /// Seen classes that it does not show.
    ///
    /// What its words name and nobody marked is neither: it may be there.
    package let absent: [(id: Int, named: VocabularyClass)]

    package init(_ example: TrainingExample, classes: TrainingClasses) {
      let shown = Set(example.shown)
      let doubtful = Set(classes.named(in: example.prompt).map(\.classID)).union(shown)
      present = classes.seen.filter { shown.contains($0.id) }
      absent = classes.seen.filter { !doubtful.contains($0.id) }
    }
  }

  /// The number of entities that every picture of a step is asked for, so that none is a mere filler: where entities look
  /// at each other, fillers would be seen.
  ///
  /// - Precondition: each picture shows a seen class.
  package static func size(step: Int, seed: UInt64, most: Int, choices: [Choice]) -> Int {
    var stream = ChoiceStream(run: seed, purpose: .questionSize, number: step)
    let wanted = 1 + stream.next(below: most)
    return choices.map { $0.present.count + $0.absent.count }.reduce(wanted, min)
  }

  /// Draws a question.
  ///
  /// - Parameters:
  ///   - choice: what may be asked.
  ///   - prompt: what the picture shows, in words.
  ///   - place: where it stands in the training.
  ///   - seed: the training's.
  ///   - count: how many entities are asked for.
  ///   - classes: the classes.
  package init(
    _ choice: Choice, prompt: String, place: Int, seed: UInt64, count: Int,
    classes: TrainingClasses
  ) {
    var stream = ChoiceStream(run: seed, purpose: .question, number: place)
    let (present, absent) = (choice.present, choice.absent)
    let ids = Set(present.map(\.id))
    // In half of the pictures there may be nothing but what is there, as where a model draws what it was told to.
    let mayBeFull = stream.next(below: 2) == 0
    let wanted = min(present.count, mayBeFull ? count : count - 1)
    let presentCount = max(wanted, count - absent.count)
    let chosen = stream.permutation(present.count).prefix(presentCount).map { present[$0] }
    var missing: [(id: Int, named: VocabularyClass)] = []
    while missing.count < count - presentCount {
      let one = absent[stream.next(below: absent.count)]
      if !missing.contains(where: { $0.id == one.id }) { missing.append(one) }
    }
    var prompt = prompt
    var end = classes.named(in: prompt).filter { ids.contains($0.classID) }
      .compactMap(\.mention?.upperBound).max()
    var namedAbsent = 0
    for one in missing where stream.next(below: 2) == 0 {
      end = Self.insert(one.named.phrase, into: &prompt, at: end)
      namedAbsent += 1
    }
    let located = Dictionary(
      uniqueKeysWithValues: classes.finder.located(in: prompt).map { ($0.classID, $0) })
    let order = stream.permutation(count)
    let asked = chosen.map { ($0.id, true) } + missing.map { ($0.id, false) }
    self.prompt = prompt
    self.namedAbsent = namedAbsent
    entities = order.compactMap { located[asked[$0].0] }
    isShown = order.map { asked[$0].1 }
  }

  /// Adds "and a dog" behind a place of the prompt, its end where nil; returns the place behind it.
  private static func insert(_ phrase: String, into prompt: inout String, at place: Int?) -> Int {
    let bytes = Array(prompt.utf8)
    let place = place ?? bytes.count
    let words = Array((place == 0 ? phrase : " and \(phrase)").utf8)
    prompt = String(decoding: bytes[..<place] + words + bytes[place...], as: UTF8.self)
    return place + words.count
  }
}
