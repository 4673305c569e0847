package import DatasetFormat
public import Generation
import MaskGrounding

/// The classes of a training, each seen or unseen: nothing is learnt of the unseen ones.
public struct TrainingClasses: Sendable {
  /// All classes with their ids, ascending; every one is seen or unseen.
  public let all: [(id: Int, named: VocabularyClass)]
  /// Those that are trained on.
  public let seen: [(id: Int, named: VocabularyClass)]
  /// Finds any of them in a prompt; its entities stand as ``all`` does.
  let finder: EntityFinder
  private let unseenIDs: Set<Int>

  /// Divides classes.
  ///
  /// - Parameters:
  ///   - classes: with their ids.
  ///   - seenShare: how many of all are seen, above 0 to 1, the unseen ones spread evenly (three quarters: every fourth
  ///     one is unseen); where nil, what each class says counts: with a split, classes on neither side are unseen,
  ///     without one all are seen.
  ///   - place: where they come from, for messages.
  /// - Throws: `GenerationError` where no class is seen.
  public init(
    _ classes: [(id: Int, named: VocabularyClass)], seenShare: Double? = nil, place: String
  ) throws {
    let classes = classes.sorted { $0.id < $1.id }
    let isDivided = classes.contains { $0.named.split != .undecided }
    all = classes.enumerated().map { position, one in
      let isSeen =
        seenShare.map { Self.isSeen(position, share: $0) }
        ?? (isDivided ? one.named.split == .seen : true)
      return (one.id, one.named.placed(isSeen ? .seen : .unseen))
    }
    seen = all.filter { $0.named.split == .seen }
    guard !seen.isEmpty else {
      throw GenerationError(
        .malformed, place,
        "none of its \(classes.count) classes is marked seen, so there is nothing to train on; mark some in the file, "
          + "with --split, or with --seen-share")
    }
    unseenIDs = Set(all.filter { $0.named.split == .unseen }.map(\.id))
    finder = EntityFinder(
      all.map { id, named in
        Entity(
          name: named.name, classID: id, words: named.words, synonyms: Self.synonyms(of: named))
      })
  }

  /// The same classes with other sides, for the sweep over the share of seen ones.
  ///
  /// - Throws: as ``init(_:seenShare:place:)``.
  public func dividing(seenShare: Double) throws -> TrainingClasses {
    try TrainingClasses(all, seenShare: seenShare, place: "the classes")
  }

  /// The table of the classes, as a run folder has it.
  ///
  /// - Throws: `DatasetError` where a name cannot be written.
  package func table() throws -> ClassTable {
    try ClassTable(all.map { $0.named.entry(id: $0.id) })
  }

  /// Whether a class is one that must not be learnt.
  package func isUnseen(_ id: Int) -> Bool { unseenIDs.contains(id) }

  /// The classes that a text names, as entities with their mention.
  func named(in prompt: String) -> [Entity] { finder.located(in: prompt).filter(\.isNamed) }

  private static func isSeen(_ position: Int, share: Double) -> Bool {
    // The tolerance lets a quarter, a third and a tenth fall where whole numbers say.
    func unseen(before position: Int) -> Int { Int((Double(position) * (1 - share) + 1e-9)) }
    return unseen(before: position + 1) == unseen(before: position)
  }

  private static func synonyms(of named: VocabularyClass) -> [String] {
    ([named.name] + named.aliases).filter { $0 != named.words }
  }
}
