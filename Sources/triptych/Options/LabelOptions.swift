import ArgumentParser
import DatasetFormat
import Generation
import OpenVocabulary

/// What a segmenter looks for, and how it is said.
struct LabelOptions: ParsableArguments {
  /// The largest file of labels, in bytes.
  private static let fileLimit = 16 << 20
  /// The templates SED was published with.
  private static let published = "imagenet80"
  /// The name for a label as it is.
  private static let plain = "none"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What pixels may be: names with commas between them (name=word|word adds other words), a file (.txt a label a line, "
        + ".tsv as in a run folder, .json a list, .yaml a vocabulary), or a preset (voc, coco, ade). May be repeated. "
        + "\"other\" is for all the rest and has the background's id 0.", valueName: "list|file|name"))
  var labels: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Sentences that labels are said in: a preset, a file, or none for the label as it is (default: none for LSeg, "
        + "imagenet80 for SED, as published).", valueName: "name|file|none"))
  var templates: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "CLIP's tokenizer, which published segmenters do not contain: a folder with vocab.json and merges.txt, a "
        + "merges.txt, or bpe_simple_vocab_16e6.txt.gz.", valueName: "path"))
  var tokenizer: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Where features of labels are remembered (default: triptych/text in XDG_CACHE_HOME, or in ~/.cache).",
      valueName: "folder"))
  var textCache: String?

  @Flag(name: .long, help: "Encode labels anew, and remember nothing.")
  var noTextCache = false

  func validate() throws {
    if textCache != nil, noTextCache {
      throw ValidationError("--text-cache and --no-text-cache do not go together")
    }
    if textCache?.isEmpty == true { throw ValidationError("--text-cache: is empty") }
  }

  /// The labels.
  ///
  /// - Throws: `SegmenterError`, `GenerationError` or `DatasetError` where they cannot be read, or are too few.
  func list() throws -> LabelList {
    guard !labels.isEmpty else {
      throw ValidationError(
        "give --labels: what may pixels be? Names with commas between them, a file or a preset")
    }
    return try LabelList(labels.flatMap(sources), place: "--labels")
  }

  private func sources(_ text: String) throws -> [LabelSource] {
    let place = "--labels"
    if FileAccess.isFile(text) {
      let bytes = try FileAccess.bytes(of: text, limit: Self.fileLimit)
      switch text.split(separator: ".").last?.lowercased() {
      case "tsv": return LabelSource.table(try SceneOptions.table(text), path: text)
      case "json": return try LabelSource.json(bytes, path: text)
      case "yaml", "yml": return try classes(text)
      default: return try LabelSource.lines(bytes, path: text)
      }
    }
    if try TemplateLibrary().presets("vocabularies").contains(text) { return try classes(text) }
    let endings = [".txt", ".tsv", ".json", ".yaml", ".yml"]
    guard !text.contains("/"), !endings.contains(where: text.hasSuffix) else {
      throw GenerationError(.missingInput, place, "there is no file \"\(text)\"")
    }
    return try LabelSource.list(text, place: place)
  }

  /// The classes of a vocabulary, said as prompts say them.
  private func classes(_ name: String) throws -> [LabelSource] {
    try TemplateLibrary().vocabulary(name).classes.map {
      LabelSource(name: $0.name, words: [$0.words] + $0.aliases, place: name)
    }
  }

  /// The sentences that labels are said in.
  ///
  /// - Throws: `GenerationError` where there are none.
  func sentences(for architecture: SegmenterArchitecture) throws -> [String] {
    let name = templates ?? (architecture == .sed ? Self.published : Self.plain)
    if name == Self.plain { return LabelEncoder.plain }
    return try TemplateLibrary().templates(name).literal(slot: LabelEncoder.slot)
  }

  /// CLIP's tokenizer's folder or file.
  ///
  /// - Throws: `GenerationError` where nobody says, with where people find it.
  func tokenizerPath() throws -> String {
    guard let tokenizer, !tokenizer.isEmpty else {
      throw GenerationError(
        .usage, "--tokenizer",
        "is missing: files of segmenters do not contain CLIP's vocabulary; it is clip/bpe_simple_vocab_16e6.txt.gz in the "
          + "openai/CLIP repository, or the tokenizer folder of any Stable Diffusion model")
    }
    return tokenizer
  }

  /// What remembers features; nil for nothing.
  func cache() -> TextFeatureCache? {
    guard !noTextCache else { return nil }
    if let textCache { return TextFeatureCache(folder: textCache) }
    guard let folder = UserFolders.cache else { return nil }
    return TextFeatureCache(folder: folder + "/triptych/text")
  }
}
