import Glibc

/// The folder of prompt templates and vocabularies.
public struct TemplateLibrary: Sendable, Equatable {
  /// The environment variable that may name the folder.
  public static let variable = "TRIPTYCH_TEMPLATES"

  /// The folder, holding prompts/ and vocabularies/.
  public let root: String

  /// Finds the folder: `explicit`, else the environment's, else ./Templates, else the one beside the executable.
  ///
  /// - Throws: ``GenerationError`` where a folder named by hand is not one.
  public init(explicit: String? = nil) throws {
    if let explicit {
      try self.init(named: explicit, by: "--templates")
    } else if let named = getenv(Self.variable).map({ String(cString: $0) }), !named.isEmpty {
      try self.init(named: named, by: Self.variable)
    } else if Self.isLibrary("Templates") {
      self.init(root: "Templates")
    } else {
      self.init(root: try ResourceFolder.bundle(target: "Generation"))
    }
  }

  private init(root: String) { self.root = root }

  private init(named root: String, by place: String) throws {
    guard Self.isLibrary(root) else {
      throw GenerationError(
        .missingInput, root,
        "\(place) names it, but it is no folder with prompts/ and vocabularies/ in it")
    }
    self.init(root: root)
  }

  private static func isLibrary(_ folder: String) -> Bool {
    FileAccess.isFolder(folder + "/prompts") && FileAccess.isFolder(folder + "/vocabularies")
  }

  /// The prompt templates of a preset or a file.
  ///
  /// - Throws: ``GenerationError``.
  public func templates(_ name: String) throws -> TemplateSet {
    let file = try locate(name, kind: "prompts", option: "--templates", hint: "")
    return try TemplateSet(file: file, name: name)
  }

  /// The vocabulary of a preset, a file or a comma list.
  ///
  /// - Throws: ``GenerationError``.
  public func vocabulary(_ name: String) throws -> Vocabulary {
    if presetFile(name, kind: "vocabularies") == nil, !FileAccess.isFile(name), name.contains(",") {
      return try Vocabulary(list: name)
    }
    let file = try locate(
      name, kind: "vocabularies", option: "--vocabulary",
      hint: "; a list of one word is written with a comma: \"\(name),\"")
    return try Vocabulary(file: file, name: name)
  }

  /// The names of the presets in `prompts` or `vocabularies`.
  public func presets(_ kind: String) -> [String] {
    FileAccess.names(in: "\(root)/\(kind)").filter { $0.hasSuffix(".yaml") }
      .map { String($0.dropLast(5)) }
  }

  private func presetFile(_ name: String, kind: String) -> String? {
    guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else { return nil }
    let file = "\(root)/\(kind)/\(name).yaml"
    return FileAccess.isFile(file) ? file : nil
  }

  private func locate(_ name: String, kind: String, option: String, hint: String) throws -> String {
    if let file = presetFile(name, kind: kind) { return file }
    if FileAccess.isFile(name) { return name }
    let known = presets(kind).joined(separator: ", ")
    throw GenerationError(
      .missingInput, option,
      "\"\(name)\" is neither a file nor a preset; presets in \(root) are \(known)\(hint)")
  }
}
