import CanonicalJSON

/// The rules that hold for a run in place of its own: filter.json in its folder.
///
/// Decisions are not stored: they follow from the rules and the scores in the records, for samples made later too.
/// So the shards stay as they are, and the rules change all at once, with one file.
struct FilterFile {
  /// What the file says.
  struct Contents: Equatable {
    var rules: FilterRules
    /// The SHA-256 of the run.json that the rules were checked against.
    var configurationHash: String

    var text: String {
      let json: JSONValue = [
        "configuration_sha256": .string(configurationHash), "rules": rules.json,
      ]
      return json.canonicalText
    }
  }

  let files: any FileSystem

  /// What the file says; nil where there is none.
  func read() throws -> Contents? {
    guard try files.status(RunLayout.filterFile) != nil else { return nil }
    let path = files.shown(RunLayout.filterFile)
    let bytes = try files.read(RunLayout.filterFile, limit: RunFolder.configurationLimit)
    let fields = try RecordFields(
      RunContents.parse(bytes, path: path), path: path, what: "filter",
      keys: ["configuration_sha256", "rules"])
    return Contents(
      rules: try FilterRules.read(fields.value("rules"), path: path),
      configurationHash: try fields.hash("configuration_sha256"))
  }

  /// Puts new rules in place at once.
  func write(_ contents: Contents) throws {
    try files.replace(
      RunLayout.filterFile, with: Array(contents.text.utf8),
      temporary: "\(RunLayout.partialFolder)/\(RunLayout.filterFile).\(RunLayout.randomSuffix())")
    try files.synchronizeDirectory("")
  }

  /// Lets the run's own rules hold again.
  func remove() throws {
    try files.removeFile(RunLayout.filterFile)
    try files.synchronizeDirectory("")
  }
}

extension FilterRules {
  /// The rules of a run's configuration; nil where it has none.
  static func ofRun(_ configuration: JSONValue, path: String) throws -> FilterRules? {
    guard let json = configuration[configurationKey], !json.isNull else { return nil }
    return try read(json, path: path)
  }

  /// Reads rules from a file of a run folder.
  static func read(_ json: JSONValue, path: String) throws -> FilterRules {
    do {
      return try FilterRules(json: json)
    } catch let fault as Fault {
      throw DatasetError(.malformed, path: path, "the filter rule \(fault)")
    }
  }
}
