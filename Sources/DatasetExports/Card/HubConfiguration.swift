/// What the Hugging Face hub loads of a data set: `load_dataset(FOLDER)`.
///
/// - Source: `datasets` takes one builder for a folder, whatever configurations its card names, so a card names one.
struct HubConfiguration {
  /// The layouts it may be of, the most welcome first.
  private static let preferred: [ExportFormat] = [.parquet, .imagefolder, .webdataset]

  /// The layout.
  let format: ExportFormat
  /// The files of each split, as a pattern below the card's folder.
  let files: [(split: DatasetSplit, pattern: String)]

  /// The one for the card; nil where there is none.
  static func chosen(of all: [HubConfiguration]) -> HubConfiguration? {
    preferred.compactMap { format in all.first { $0.format == format } }.first
  }

  /// The entry in the card's head, YAML.
  var yaml: String {
    let lines = files.map { "  - split: \($0.split.hubName)\n    path: \"\($0.pattern)\"\n" }
    return "configs:\n- config_name: default\n  data_files:\n" + lines.joined()
  }
}
