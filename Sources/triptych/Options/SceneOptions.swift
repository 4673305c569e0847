import ArgumentParser
import DatasetFormat
import Generation
import ObjectWorld

/// What composed scenes show.
struct SceneOptions: ParsableArguments {
  /// The preset whose articles and plurals are taken for classes of the same name.
  static let grammar = "objectworld"

  @Option(name: .long, help: ArgumentHelp("Scenes to make.", valueName: "n"))
  var count = 8

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Classes in a scene: 2, 1-3, or with weights 1:3,2:1.", valueName: "n|n-m|n:w,…"))
  var objects = "1-3"

  @Option(name: .long, help: ArgumentHelp("Width and height in pixels.", valueName: "n"))
  var size = 256

  @Option(
    name: .long, help: ArgumentHelp("The run's seed, 0 to 18446744073709551615.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How many scenes of a hundred show one of their classes twice.", valueName: "n"))
  var doubles = SceneSettings.usualDoubles

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Names, ids, aliases and split of the classes: a .tsv as in a run folder (the colours may be left out), or what "
        + "--vocabulary of generate takes (default: the pack's categories, ids from 1).",
      valueName: "file|name|list"))
  var classes: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Show only classes of this side of the split.", valueName: "seen|unseen"))
  var only: VocabularyClass.Split?

  func validate() throws {
    guard 1...RunLayout.sampleLimit ~= count else {
      throw ValidationError("--count: found \(count), expected 1 to \(RunLayout.sampleLimit)")
    }
    let sides = SceneSettings.sides
    guard sides ~= size else {
      throw ValidationError(
        "--size: found \(size), expected \(sides.lowerBound) to \(sides.upperBound)")
    }
    guard 0...100 ~= doubles else {
      throw ValidationError("--doubles: found \(doubles), expected 0 to 100")
    }
    if only == .undecided { throw ValidationError("--only: expected seen or unseen") }
    if only != nil, classes == nil {
      throw ValidationError("--only goes with --classes, which says what is seen and unseen")
    }
  }

  /// What scenes are like.
  ///
  /// - Throws: `GenerationError` where `--objects` is no count.
  func settings() throws -> SceneSettings {
    SceneSettings(
      objects: try ObjectCounts(parsing: objects), side: size, doubles: doubles, only: only)
  }

  /// What a pack's categories are called.
  ///
  /// - Throws: `GenerationError` or `DatasetError` where the classes cannot be read or are none of the pack's.
  func worldClasses(of pack: WorldPack) throws -> WorldClasses {
    try Self.worldClasses(of: pack, classes: classes)
  }

  /// What a pack's categories are called.
  ///
  /// - Parameters:
  ///   - pack: the pack.
  ///   - classes: a table or a vocabulary; the categories as they are where nil.
  ///   - split: what marks the vocabulary's classes.
  /// - Returns: the classes.
  /// - Throws: `GenerationError` or `DatasetError` where they cannot be read or are none of the pack's.
  static func worldClasses(
    of pack: WorldPack, classes: String?, split: String? = nil
  ) throws -> WorldClasses {
    let library = try TemplateLibrary()
    // Its list knows "a pair of scissors"; what it does not name is said by rule.
    let grammar = try library.vocabulary(Self.grammar)
    guard let classes else { return try WorldClasses(pack, grammar: grammar) }
    guard classes.hasSuffix(".tsv") else {
      let vocabulary = try library.vocabulary(classes)
      return try WorldClasses(
        pack,
        vocabulary: split.map { try vocabulary.splitting(by: library.split($0)) } ?? vocabulary)
    }
    return try WorldClasses(pack, table: table(classes), path: classes, grammar: grammar)
  }

  /// The classes of a .tsv that people write.
  ///
  /// - Throws: `GenerationError` or `DatasetError` where it cannot be read.
  static func table(_ file: String) throws -> ClassTable {
    try ClassTable(
      tsv: FileAccess.bytes(of: file, limit: RunFolder.configurationLimit), path: file,
      colours: .optional)
  }
}
