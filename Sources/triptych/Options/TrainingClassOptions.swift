import ArgumentParser

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
