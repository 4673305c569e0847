import CanonicalJSON
import DatasetFormat

/// README.md of a data set, with the head that the Hugging Face hub reads, and the note on licences.
struct DatasetCard {
  static let name = "README.md"
  static let licenceName = "LICENSE"

  let plan: ExportPlan
  let statistics: ExportStatistics
  /// What the layouts say of themselves.
  let sections: [String]

  /// The data set in one line.
  static func title(_ plan: ExportPlan) -> String {
    let names = plan.categories.prefix(3).map(\.name).joined(separator: ", ")
    let rest = plan.categories.count - 3
    return "Synthetic segmentation data: " + names + (rest > 0 ? " and \(rest) more classes" : "")
  }

  /// The card.
  var text: String {
    ([head, introduction] + [uses, splits, layouts, classes, origin, filters, limits])
      .joined(separator: "\n\n") + "\n"
  }

  /// The note on licences.
  var licenceNote: String {
    let model = modelLicence.map { "The model's licence as its card states it: \($0)." }
    let makers =
      isComposed
      ? """
      Pictures were composed of other people's cut-outs and photographs, whose licences hold for them.
      \(packLicence.map { "Their licence as the pack states it: \($0)." } ?? "The pack does not state their licence.")
      """
      : """
      Pictures and masks were made by a generative model, whose own licence may set terms for what it makes.
      \(model ?? "The run does not state the model's licence.")
      """
    return """
      Licence of this data set: \(plan.options.licence)

      \(isLicenceUnspecified
        ? "No licence was chosen when the data set was written, so this file grants none."
        : "Chosen by the maker of the data set when it was written.")
      \(makers)

      """
  }

  /// Whether pictures were composed of cut-outs, without a model.
  private var isComposed: Bool { plan.configuration["world"] != nil }

  private var packLicence: String? { plan.configuration["world"]?["licence"]?.string }

  private var isLicenceUnspecified: Bool {
    plan.options.licence == ExportOptions.unspecifiedLicence
  }

  private var modelLicence: String? { plan.configuration["model"]?["licence"]?.string }

  private var head: String {
    """
    ---
    license: other
    license_name: \(JSONValue.string(plan.options.licence).text)
    license_link: LICENSE
    pretty_name: \(JSONValue.string(Self.title(plan)).text)
    task_categories:
    - image-segmentation
    size_categories:
    - \(sizeCategory)
    annotations_creators:
    - machine-generated
    source_datasets:
    - original
    tags:
    - synthetic
    - triptych
    ---
    """
  }

  private var sizeCategory: String {
    switch plan.entries.count {
    case ..<1000: "n<1K"
    case ..<10_000: "1K<n<10K"
    case ..<100_000: "10K<n<100K"
    case ..<1_000_000: "100K<n<1M"
    case ..<10_000_000: "1M<n<10M"
    case ..<100_000_000: "10M<n<100M"
    default: "100M<n<1B"
    }
  }

  private var introduction: String {
    let sides = statistics.sides.map { sides in
      sides.lowerBound == sides.upperBound
        ? " of \(sides.lowerBound) x \(sides.upperBound) pixels"
        : " with sides of \(sides.lowerBound) to \(sides.upperBound) pixels"
    }
    let title = """
      # \(MarkdownText.escaped(Self.title(plan)))

      \(plan.entries.count) pictures\(sides ?? "") with a mask and
      """
    let licence = "Licence: \(MarkdownText.escaped(plan.options.licence))."
    guard !isComposed else {
      return """
        \(title) a prompt that says what each shows. Everything here is synthetic:
        cut-outs of things were put over photographs of places, so the masks are exact. No person looked at them.

        \(licence) Licence of cut-outs and photographs:
        \(MarkdownText.escaped(packLicence ?? "not stated by the pack")). See `LICENSE`.
        """
    }
    return """
      \(title) the prompt each was made from. Everything here is
      synthetic: a diffusion model drew the pictures from words, and the masks were read off the model. No person looked
      at them.

      \(licence) Licence of the model that drew the pictures:
      \(MarkdownText.escaped(modelLicence ?? "not stated by the run")). See `LICENSE`.
      """
  }

  private var uses: String {
    """
    ## Uses

    Training and testing of segmentation and detection. Not meant as a picture of the world: what a class looks like
    here, and how often, is what the prompts and the model make of it.
    """
  }

  private var splits: String {
    let used = plan.options.shares.used
    let lines = used.map { split in
      "| \(split.rawValue) | \(plan.count(of: split)) | \(plan.options.shares[split]) % |"
    }
    return """
      ## Splits

      | split | pictures | wanted |
      |---|---|---|
      \(lines.joined(separator: "\n"))

      Pictures with the same prompt are never in two splits. The classes are spread as evenly as that allows. The split
      follows from the run alone, so exporting it again gives the same one. `samples.jsonl` lists every picture with its
      split, its prompt and its seed.
      """
  }

  private var layouts: String {
    let instance =
      switch plan.options.division {
      case .entity: "An instance is all pixels of a class in a picture, in one piece or several."
      case .parts:
        "An instance is a piece of a class whose pixels touch; specks count to the largest piece of their class."
      }
    return """
      ## Structure

      \(instance) `manifest.json` lists every file with its size and SHA-256, `classes.tsv` the classes with aliases,
      colours and split into seen and unseen, `classes.txt` their names alone, `run.json` how the pictures were made.

      \(sections.joined(separator: "\n\n"))
      """
  }

  private var classes: String {
    let lines = zip(plan.categories, statistics.categories).map { category, counts in
      let images = counts.images.map(String.init).joined(separator: " / ")
      return "| \(category.id) | \(MarkdownText.escaped(category.name)) | \(images) | "
        + "\(counts.instances) | \(counts.pixels) |"
    }
    return """
      ## Classes

      | id | name | pictures in train / val / test | instances | pixels |
      |---|---|---|---|---|
      \(lines.joined(separator: "\n"))

      \(statistics.emptyImages) pictures show no class.
      """
  }

  private var limits: String {
    guard !isComposed else {
      return """
        ## Known limits

        Masks are exact for the things of the prompt; what a background itself shows counts as background. Sizes, light and
        company of things are drawn at random and not as in the world.
        """
    }
    return """
      ## Known limits

      Masks are estimates: edges may be off by a few pixels, thin parts may be missing, and an object that no class was
      asked for counts as background. Pictures may show objects wrongly, doubled or cut off. Text in pictures is seldom
      readable. Biases of the model's training pictures carry over to the pictures here.
      """
  }
}
