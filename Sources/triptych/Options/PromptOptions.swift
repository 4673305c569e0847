import ArgumentParser
import Generation

/// What to make pictures of.
struct PromptOptions: ParsableArguments {
  /// How many objects a prompt names: a number or a range.
  struct ObjectCount: ExpressibleByArgument, Equatable {
    var range: ClosedRange<Int>

    init(_ range: ClosedRange<Int>) { self.range = range }

    init?(argument: String) {
      let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
        first <= last, first >= 1
      else { return nil }
      range = first...last
    }

    var defaultValueDescription: String { "\(range.lowerBound)" }
  }

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
      "Classes to show in balance: a preset (voc, coco, ade, objectworld, objectworld20), a file, or a comma list.",
      valueName: "name|file|list"))
  var vocabulary: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Prompt templates: a preset (photo, simple, scenes, imagenet80), a file, or a folder laid out as Templates/ "
        + "(default: \(usualTemplates)).", valueName: "name|file|folder"))
  var templates: String?

  @Option(
    name: .long, help: ArgumentHelp("Objects in a prompt, such as 2 or 1-4.", valueName: "n|n-m"))
  var objects = ObjectCount(1...1)

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Pictures to make (default: one a prompt, \(vocabularyCount) of a vocabulary).",
      valueName: "n"))
  var count: Int?

  @Option(
    name: .long, help: ArgumentHelp("The run's seed, 0 to 18446744073709551615.", valueName: "n"))
  var seed: UInt64 = 0

  func validate() throws {
    guard prompt.isEmpty != (vocabulary == nil) else {
      throw ValidationError(
        prompt.isEmpty
          ? "give --prompt or --vocabulary: what should the pictures show?"
          : "--prompt and --vocabulary do not go together; give one of them")
    }
    if vocabulary == nil, templates != nil {
      throw ValidationError("--templates goes with --vocabulary; a prompt is taken as it is")
    }
    if let count, !(1...GenerationPlan.countLimit ~= count) {
      throw ValidationError("--count: found \(count), expected 1 to \(GenerationPlan.countLimit)")
    }
  }

  /// The samples; `latentCount` is the number of latents given, where they are.
  func plan(latentCount: Int?) throws -> GenerationPlan {
    guard let vocabulary else {
      return try GenerationPlan(
        source: .prompts(prompt), count: count ?? latentCount ?? prompt.count, seed: seed)
    }
    let isFolder = templates.map(TemplateLibrary.isFolder) ?? false
    let library = try TemplateLibrary(explicit: isFolder ? templates : nil)
    let set = try library.templates(
      isFolder ? Self.usualTemplates : templates ?? Self.usualTemplates)
    return try GenerationPlan(
      source: .vocabulary(
        try library.vocabulary(vocabulary), set, objects: objects.range),
      count: count ?? latentCount ?? Self.vocabularyCount, seed: seed)
  }
}
