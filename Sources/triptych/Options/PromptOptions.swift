public import ArgumentParser
public import Generation

extension VocabularyClass.Split: ExpressibleByArgument {
  /// The sides that a prompt can be kept to.
  public static var allValueStrings: [String] { [Self.seen.rawValue, Self.unseen.rawValue] }
}

/// What to make pictures of.
struct PromptOptions: ParsableArguments {
  /// How many pictures a vocabulary makes where nobody says.
  static let vocabularyCount = 8
  /// The templates where nobody says.
  static let usualTemplates = "scenes"

  @Option(
    name: .long,
    help: ArgumentHelp("What to show; may be repeated, taken in turn.", valueName: "text"))
  var prompt: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Classes to show in balance: a preset (voc, coco, ade, objectworld, objectworld20, objectworld48), a file, or "
        + "a comma list.", valueName: "name|file|list"))
  var vocabulary: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A data set: vocabulary, templates, objects and count at once (voc-10k, coco-110k, or a file); options by hand "
        + "win.", valueName: "name|file"))
  var preset: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Samples from a plan that was written before; --vocabulary adds its aliases and split.",
      valueName: "file"))
  var plan: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Prompt templates: a preset (photo, simple, scenes, imagenet80, grounded-diffusion, described), a file, or a "
        + "folder laid out as Templates/ (default: \(usualTemplates)).",
      valueName: "name|file|folder"))
  var templates: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Objects in a prompt: 2, 1-4, or with weights 1:3,2:1 (default: 1).", valueName: "n|n-m|n:w,…"
    ))
  var objects: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How often classes are named in comparison (default: all alike): YAML or .tsv, a name and a number each.",
      valueName: "file"))
  var classWeights: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Mark classes as seen or unseen: a preset (voc1, voc2, voc3, coco-65-15, objectworld, objectworld20, "
        + "objectworld48) or a file.", valueName: "name|file"))
  var split: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Name only classes of this side of the split.", valueName: "seen|unseen"))
  var only: VocabularyClass.Split?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Pictures to make (default: one a prompt, \(vocabularyCount) of a vocabulary, all of a plan).",
      valueName: "n"))
  var count: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The run's seed, 0 to 18446744073709551615 (default: 0).", valueName: "n"))
  var seed: UInt64?

  func validate() throws {
    let sources = [
      ("--prompt", !prompt.isEmpty), ("--vocabulary", vocabulary != nil),
      ("--preset", preset != nil), ("--plan", plan != nil),
    ].filter(\.1).map(\.0)
    let mayMeet: [[String]] = [["--vocabulary", "--preset"], ["--vocabulary", "--plan"]]
    if sources.count > 1, !mayMeet.contains(sources) {
      throw ValidationError(
        "\(sources.joined(separator: " and ")) do not go together; give one of them")
    }
    let drawsClasses = (vocabulary ?? preset) != nil && plan == nil
    let drawn = [
      ("--templates", templates != nil), ("--objects", objects != nil),
      ("--class-weights", classWeights != nil), ("--only", only != nil),
    ].first(where: \.1)
    if let drawn, !drawsClasses, !sources.isEmpty {
      throw ValidationError("\(drawn.0) goes with --vocabulary; a prompt is taken as it is")
    }
    if split != nil, vocabulary == nil, preset == nil, !sources.isEmpty {
      throw ValidationError("--split goes with --vocabulary, whose classes it marks")
    }
    if only == .undecided { throw ValidationError("--only: expected seen or unseen") }
    if plan != nil, seed != nil {
      throw ValidationError(
        "--seed and --plan do not go together; the samples of a plan have seeds")
    }
    if let count, !(1...GenerationPlan.countLimit ~= count) {
      throw ValidationError("--count: found \(count), expected 1 to \(GenerationPlan.countLimit)")
    }
  }

  /// Refuses a command that does not say what to show.
  func validateSource() throws {
    guard !prompt.isEmpty || (vocabulary ?? preset ?? plan) != nil else {
      throw ValidationError(
        "give --prompt or --vocabulary, --preset or --plan: what should the pictures show?")
    }
  }

  /// Where data are looked up.
  func library() throws -> TemplateLibrary {
    try TemplateLibrary(explicit: templatesAreFolder ? templates : nil)
  }

  private var templatesAreFolder: Bool { templates.map(ResourceFolder.isFolder) ?? false }

  /// The samples; `latentCount` is the number of latents given, where they are.
  func plan(latentCount: Int?) throws -> GenerationPlan {
    guard prompt.isEmpty else {
      return try GenerationPlan(
        source: .prompts(prompt), count: count ?? latentCount ?? prompt.count, seed: seed ?? 0)
    }
    let library = try library()
    if let plan {
      let file = try PlanFile(path: plan, vocabulary: try classes(vocabulary, split, library))
      return try GenerationPlan(
        source: .plan(file), count: count ?? latentCount ?? file.samples.count, seed: 0)
    }
    let preset = try self.preset.map(library.preset)
    // A split of the preset's belongs to its vocabulary.
    let ownSplit = vocabulary == nil ? preset?.split : nil
    guard var classes = try classes(vocabulary ?? preset?.vocabulary, split ?? ownSplit, library)
    else { preconditionFailure("a plan without prompts, vocabulary, preset and file") }
    if let classWeights { classes = try classes.weighted(by: ClassWeights(file: classWeights)) }
    if let only { classes = try classes.naming(only: only) }
    let named = templatesAreFolder ? nil : templates
    let set = try library.templates(named ?? preset?.templates ?? Self.usualTemplates)
    let objects = try self.objects.map { try ObjectCounts(parsing: $0) }
    return try GenerationPlan(
      source: .vocabulary(classes, set, objects: objects ?? preset?.objects ?? ObjectCounts(1...1)),
      count: count ?? latentCount ?? preset?.count ?? Self.vocabularyCount, seed: seed ?? 0)
  }

  private func classes(
    _ name: String?, _ split: String?, _ library: TemplateLibrary
  ) throws -> Vocabulary? {
    guard let name else { return nil }
    let vocabulary = try library.vocabulary(name)
    return try split.map { try vocabulary.splitting(by: library.split($0)) } ?? vocabulary
  }
}
