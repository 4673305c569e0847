import CanonicalJSON
import Checkpoints

/// The tokens beside the merged pieces, as a tokenizer's configuration files name them.
///
/// - Source: transformers `PreTrainedTokenizerBase._from_pretrained`: with `added_tokens_decoder` in
///   `tokenizer_config.json` that list counts, else `special_tokens_map.json` overrides the configuration and
///   `added_tokens.json` adds to it. Of several entries with one spelling the last decides how it is sought.
struct SpecialTokens {
  /// The order in which the reference adds the named tokens.
  private static let names = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]
  private static let defaults = [
    "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
    "pad_token": "<|endoftext|>",
  ]
  private static let limit = 4096

  /// The tokens in the order in which they are added; the id only where a file states it.
  private(set) var listed: [(token: AddedToken, id: Int?)] = []
  /// The tokens with a role, by the role's key.
  private(set) var named: [String: AddedToken] = [:]

  /// Reads the files of a folder.
  ///
  /// - Throws: `CheckpointError` naming file and key.
  init(configuration: JSONValue, file: ConfigurationFile, folder: String) throws {
    var values: [(key: String, value: JSONValue, file: ConfigurationFile, isSpecial: Bool)] = []
    let map = ConfigurationFile("special_tokens_map.json", in: folder)
    let isDeclared = configuration["added_tokens_decoder"] != nil
    var overriding: JSONValue?
    if !isDeclared && map.exists { overriding = try map.object(limit: 1 << 20) }
    for key in SpecialTokens.names {
      if let value = overriding?[key], !value.isNull {
        values.append((key, value, map, true))
      } else if let value = configuration[key], !value.isNull {
        values.append((key, value, file, false))
      } else if let name = SpecialTokens.defaults[key] {
        values.append((key, .string(name), file, true))
      }
    }
    try readDeclared(configuration["added_tokens_decoder"], file)
    let declared = listed
    for (key, value, file, isSpecial) in values {
      var token = try SpecialTokens.token(value, key, file, isSpecial: isSpecial)
      if isDeclared,
        let known = declared.last(where: { $0.token.content == token.content })
      {
        token = known.token
      }
      named[key] = token
    }
    if !isDeclared { try readAdded(ConfigurationFile("added_tokens.json", in: folder)) }
    listed += SpecialTokens.names.compactMap { name in named[name].map { ($0, nil) } }
    for key in ["additional_special_tokens", "extra_special_tokens"] {
      let source = overriding?[key] == nil ? file : map
      try readExtra(overriding?[key] ?? configuration[key], key, source)
    }
    guard listed.count <= SpecialTokens.limit else {
      throw file.refusal(
        nil, "found \(listed.count) added tokens, expected at most \(SpecialTokens.limit)")
    }
  }

  private mutating func readDeclared(_ value: JSONValue?, _ file: ConfigurationFile) throws {
    guard let value else { return }
    let key = "added_tokens_decoder"
    guard let members = value.members else {
      throw file.fault(key, "found \(value.kind), expected an object of ids and tokens")
    }
    var found: [(token: AddedToken, id: Int?)] = []
    for member in members {
      guard let id = Int(member.name), id >= 0 && id < Vocabulary.idLimit else {
        throw file.fault(
          key, "the id is \(quoted(member.name)), expected one in 0..<\(Vocabulary.idLimit)")
      }
      let isSpecial = member.value["special"]?.bool ?? false
      let token = try SpecialTokens.token(member.value, key, file, isSpecial: isSpecial)
      found.append((token, id))
    }
    listed += found.sorted { ($0.id ?? 0) < ($1.id ?? 0) }
  }

  private mutating func readAdded(_ file: ConfigurationFile) throws {
    guard file.exists else { return }
    var found: [(token: AddedToken, id: Int?)] = []
    for member in try file.object(limit: 1 << 20).members ?? [] {
      guard let id = member.value.integer, id >= 0 && id < Vocabulary.idLimit else {
        throw file.fault(
          quoted(member.name),
          "the id is \(shown(member.value)), expected one in 0..<\(Vocabulary.idLimit)")
      }
      let isSpecial = named.values.contains { $0.content == member.name }
      let token = AddedToken(content: member.name, isNormalized: !isSpecial)
      for (role, rival) in named where rival.content == member.name { named[role] = token }
      found.append((token, id))
    }
    listed += found.sorted { ($0.id ?? 0) < ($1.id ?? 0) }
  }

  private mutating func readExtra(
    _ value: JSONValue?, _ key: String, _ file: ConfigurationFile
  ) throws {
    guard let value, !value.isNull else { return }
    guard let elements = value.elements ?? (value.members?.isEmpty == true ? [] : nil) else {
      throw file.refusal(key, "found \(value.kind), expected a list of tokens")
    }
    for element in elements {
      listed.append((try SpecialTokens.token(element, key, file, isSpecial: true), nil))
    }
  }

  /// A token given as a string or as an object with `content`.
  ///
  /// A string is sought in the text as given; an object says so itself by `normalized`, by default the
  /// opposite of `isSpecial`.
  private static func token(
    _ value: JSONValue, _ key: String, _ file: ConfigurationFile, isSpecial: Bool
  ) throws -> AddedToken {
    if let content = value.string {
      return try checked(AddedToken(content: content, isNormalized: false), key, file)
    }
    guard value.members != nil, let content = value["content"]?.string else {
      throw file.fault(
        key, "found \(shown(value)), expected a string or an object with \"content\"")
    }
    for flag in ["lstrip", "rstrip", "single_word"] where value[flag]?.bool == true {
      throw file.refusal(key, "the token \(quoted(content)) has \(flag), which is not supported")
    }
    let isNormalized = value["normalized"]?.bool ?? !isSpecial
    return try checked(AddedToken(content: content, isNormalized: isNormalized), key, file)
  }

  private static func checked(
    _ token: AddedToken, _ key: String, _ file: ConfigurationFile
  ) throws -> AddedToken {
    guard !token.content.isEmpty, token.content.utf8.count <= 1024 else {
      throw file.fault(
        key, "the token has \(token.content.utf8.count) bytes, expected 1 to 1024")
    }
    return token
  }
}
