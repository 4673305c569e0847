import ArgumentParser
import DatasetFormat
import Generation
import GroundingTraining
import ObjectWorld

/// Which classes a training may learn.
struct TrainingClassOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Names, ids, aliases and split of the classes: a .tsv as in a run folder (the colours may be left out), or what "
        + "--vocabulary of generate takes (default: those of the data, all of them seen).",
      valueName: "file|name|list"))
  var classes: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Mark the classes of a vocabulary as seen or unseen: a preset or a file.",
      valueName: "name|file"))
  var split: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The share of classes that is seen, whatever is said of them; 0.75 leaves out every fourth.",
      valueName: "x"))
  var seenShare: Double?

  /// The classes of a training on scenes of a pack: its categories where nothing else is said.
  ///
  /// - Throws: `GenerationError` or `DatasetError` where they cannot be read, or none is seen.
  func classes(of pack: WorldPack) throws -> TrainingClasses {
    let named = try SceneOptions.worldClasses(of: pack, classes: classes, split: split)
    return try TrainingClasses(
      named.classes, seenShare: seenShare, place: classes ?? pack.path)
  }

  /// The classes of a training on a run: its own where nothing else is said.
  ///
  /// - Throws: `GenerationError` or `DatasetError` where they cannot be read, or none is seen.
  func classes(of run: RunContents) throws -> TrainingClasses {
    let place = classes ?? run.path
    let library = try TemplateLibrary()
    if let classes, !classes.hasSuffix(".tsv") {
      let vocabulary = try library.vocabulary(classes)
      let divided = try split.map { try vocabulary.splitting(by: library.split($0)) }
      return try TrainingClasses(
        (divided ?? vocabulary).numbered, seenShare: seenShare, place: place)
    }
    let table = try classes.map(SceneOptions.table) ?? run.classes
    let said = try library.vocabulary(SceneOptions.grammar).classes
    return try TrainingClasses(
      table.entries.map { entry in
        let other = said.first { $0.name == entry.name }
        return (entry.id, try VocabularyClass(entry, said: other, place: place))
      }, seenShare: seenShare, place: place)
  }

  func validate() throws {
    if let seenShare, !(seenShare > 0 && seenShare <= 1) {
      throw ValidationError("--seen-share: found \(seenShare), expected above 0, at most 1")
    }
    if split != nil, seenShare != nil {
      throw ValidationError("--split and --seen-share do not go together; give one of them")
    }
    if split != nil, classes == nil || classes?.hasSuffix(".tsv") == true {
      throw ValidationError(
        "--split goes with --classes NAME, whose classes it marks; a .tsv has a column for it")
    }
  }
}
