/// A part of a data set that the Hugging Face hub loads by a name: `load_dataset(FOLDER, NAME)`.
struct HubConfiguration {
  /// The name.
  let name: String
  /// The files of each split, as a pattern below the card's folder.
  let files: [(split: DatasetSplit, pattern: String)]

  /// The entry in the card's head, YAML.
  var yaml: String {
    let lines = files.map { "  - split: \($0.split.hubName)\n    path: \"\($0.pattern)\"" }
    return "- config_name: \(name)\n  data_files:\n" + lines.joined(separator: "\n")
  }
}
