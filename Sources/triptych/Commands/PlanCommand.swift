import ArgumentParser
import CanonicalJSON
import Generation
import MaskGrounding

/// `triptych plan`: the samples of a run before any is made.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Lists the samples that generate would make, and says what they cost.",
    discussion: """
      A line of the plan is a sample: index, seed, prompt, entities (name, class_id, words, count, range in bytes of the \
      prompt) and template. generate --plan makes exactly these, in this order; the file may be edited. With --check \
      nothing is planned: files of templates, vocabularies, splits, class weights, presets and plans are validated.
      """)

  @OptionGroup(title: "What to show") var prompts: PromptOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Model") var adapters: AdapterOptions
  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup(title: "Memory") var memory: MemoryOptions
  @OptionGroup(title: "Masks") var masks: MaskOptions

  @Flag(name: .long, help: "Plan pictures only, without the time that masks take.")
  var noMasks = false

  @Flag(name: .long, help: "Plan for generate --flip-check, which costs a second pass.")
  var flipCheck = false

  @Option(
    name: .long,
    help: ArgumentHelp("Write the samples to this file, a JSON line each.", valueName: "file"))
  var output: String?

  @OptionGroup var measuring: MeasureOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Validate this file and print every problem with its line; may be repeated. --vocabulary says what splits and "
        + "weights are for.", valueName: "file"))
  var check: [String] = []

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    if check.isEmpty { try prompts.validateSource() }
    if !check.isEmpty, output != nil {
      throw ValidationError("--check and --output do not go together; a check plans nothing")
    }
    if output?.isEmpty == true { throw ValidationError("--output: is empty, expected a file") }
  }

  func run() throws {
    runtime.apply()
    guard check.isEmpty else { return try checkFiles() }
    let plan = try prompts.plan(latentCount: nil)
    let model = try adapters.applied(to: model.load())
    let settings = try sampling.settings(for: model, latents: nil)
    if let output { try WholeFile.checkPlace(output) }
    let summary = try measuring.summary(
      plan, model: model, settings: settings, masks: try maskSettings(plan), batch: sampling.batch,
      memory: memory)
    if let output {
      try plan.write(to: output) { _ in
        try Interruption.check(output, leaving: "nothing is written")
      }
    }
    try runtime.finish(summary.members(output: output), text: summary.text(output: output))
  }

  private func maskSettings(_ plan: GenerationPlan) throws -> MaskSettings? {
    guard !noMasks, !plan.source.classes.isEmpty else { return nil }
    return try masks.settings(for: model, flipCheck: flipCheck)
  }

  private func checkFiles() throws {
    let library = try prompts.library()
    let checker = DataFileCheck(
      library: library, vocabulary: try prompts.vocabulary.map(library.vocabulary))
    var problems: [GenerationError] = []
    for file in check { problems += try checker.problems(of: file) }
    let found = problems.map { problem -> JSONValue in
      ["place": .string(problem.place), "problem": .string(problem.message)]
    }
    let files = "\(check.count) file\(check.count == 1 ? "" : "s")"
    try runtime.finish(
      [
        .init("ok", .bool(problems.isEmpty)), .init("files", .integer(Int64(check.count))),
        .init("problems", .array(found)),
      ],
      text: problems.isEmpty
        ? "\(files), no problem"
        : problems.map { Console.oneLine("\($0)") }.joined(separator: "\n"))
    if !problems.isEmpty { throw ExitCode(ExitCodes.badData) }
  }
}
