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
  /// What the hub loads; nil where no layout is one of its own.
  let hubConfiguration: HubConfiguration?

  /// The data set in one line.
  static func title(_ plan: ExportPlan) -> String {
    let names = plan.categories.prefix(3).map(\.name).joined(separator: ", ")
    let rest = plan.categories.count - 3
    return origin(of: plan).title + ": " + names + (rest > 0 ? " and \(rest) more classes" : "")
  }

  private static func origin(of plan: ExportPlan) -> DatasetOrigin {
    DatasetOrigin(configuration: plan.configuration)
  }

  private var origin: DatasetOrigin { Self.origin(of: plan) }

  /// The card.
  var text: String {
    ([head, introduction] + [uses, splits, layouts, classes, making, filters, limits])
      .joined(separator: "\n\n") + "\n"
  }

  /// The note on licences.
  var licenceNote: String {
    """
    Licence of this data set: \(plan.options.licence)

    \(isLicenceUnspecified
        ? "No licence was chosen when the data set was written, so this file grants none."
        : "Chosen by the maker of the data set when it was written.")
    \(origin.licenceNote)

    """
  }

  private var isLicenceUnspecified: Bool {
    plan.options.licence == ExportOptions.unspecifiedLicence
  }

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
    - \(origin.hubTags.annotators)
    source_datasets:
    - \(origin.hubTags.sources)
    tags:
    \(origin.hubTags.tags.map { "- \($0)\n" }.joined())\(hubConfiguration?.yaml ?? "")---
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
    return """
      \(title) \(origin.introduction.text)

      Licence: \(MarkdownText.escaped(plan.options.licence)). \(origin.introduction.licence). See `LICENSE`.
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

  private var limits: String { "## Known limits\n\n" + origin.limits }
}
