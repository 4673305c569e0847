import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Generation

/// `triptych filter`: other rules for samples that are there.
struct FilterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Decides a run's samples anew from their stored scores, without making any.",
    discussion: """
      The rules go to filter.json in the run folder; the shards stay as they are, and every command that reads the \
      run applies the rules. What the file leaves out stays as in the run's own rules.
      """)

  @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
  var folder: String

  @Option(name: .long, help: ArgumentHelp("The rules, in YAML.", valueName: "file"))
  var filters: String?

  @Flag(name: .long, help: "Let the run's own rules hold again.")
  var reset = false

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    guard reset != (filters != nil) else {
      throw ValidationError(
        reset
          ? "--filters and --reset do not go together; give one of them"
          : "give --filters with a file of rules, or --reset")
    }
  }

  func run() throws {
    let contents = try RunContents.open(path: folder)
    let rules = try filters.map { file in
      let rules = try FilterRulesFile.read(file, changing: contents.ownRules() ?? FilterRules())
      try FilterRulesFile.check(rules, against: contents.classes, file: file)
      return rules
    }
    let tally = try RunFilter.apply(rules, toRunAt: folder) { sample in
      try Interruption.check(folder)
      guard runtime.json else { return }
      try Console.result([
        "event": "decision", "index": .integer(Int64(sample.record.index)),
        "accepted": .bool(sample.isAccepted),
        "reasons": .array(sample.record.reasons.map { .string($0) }),
      ])
    }
    try runtime.finish(tally.members, text: tally.lines.joined(separator: "\n"))
    if tally.accepted == 0 { throw ExitCode(ExitCodes.answerIsNo) }
  }
}
