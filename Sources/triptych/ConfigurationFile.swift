import ArgumentParser
import CanonicalJSON
import Generation

/// `--config FILE`: any option of the command by its long name; options given by hand win.
enum ConfigurationFile {
  /// What the parser knows about an option, from its own description of the command.
  private struct Option {
    let name: String
    let isFlag: Bool
    let isRepeating: Bool
  }

  /// Options of which at most one may be given: one by hand displaces the others' values in the file.
  private static let alternatives: [Set<String>] = [
    ["prompt", "vocabulary"], ["prompt", "preset"], ["prompt", "plan"], ["preset", "plan"],
    ["plan", "seed"], ["shards", "worker"],
  ]

  /// The arguments with the file's options put in before those given by hand.
  ///
  /// - Throws: ``GenerationError`` with file and line for what the command does not know.
  static func expand(_ arguments: [String], root: any ParsableCommand.Type) throws -> [String] {
    var (command, names) = (root, [String]())
    while let name = arguments.dropFirst(names.count).first,
      let next = command.configuration.subcommands.first(where: { $0._commandName == name })
    {
      command = next
      names.append(name)
    }
    guard !names.isEmpty, let file = file(in: arguments) else { return arguments }
    let options = try Self.options(of: command)
    let byHand = longNames(in: arguments)
    var added: [String] = []
    for (key, value) in try YAMLNode.read(file).members("configuration") {
      guard let option = options.first(where: { $0.name == key }) else {
        let known = options.map(\.name).joined(separator: ", ")
        throw value.fault(
          "unknown key \"\(key)\"; the options of \(names.joined(separator: " ")) are \(known)")
      }
      let rivals: Set<String> = alternatives.filter { $0.contains(key) }.reduce([key]) {
        $0.union($1)
      }
      guard byHand.isDisjoint(with: rivals) else { continue }
      added += try words(option, value)
    }
    return names + added + arguments.dropFirst(names.count)
  }

  private static func file(in arguments: [String]) -> String? {
    var found: String?
    var words = arguments.prefix { $0 != "--" }[...]
    while let word = words.popFirst() {
      if word == "--config" { found = words.first ?? found }
      if word.hasPrefix("--config=") { found = String(word.dropFirst("--config=".count)) }
    }
    return found
  }

  private static func longNames(in arguments: [String]) -> Set<String> {
    Set(
      arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
        .map { String($0.dropFirst(2).prefix { $0 != "=" }) })
  }

  private static func options(of command: any ParsableCommand.Type) throws -> [Option] {
    let help = try JSONValue.parse(Array(command._dumpHelp().utf8))
    let arguments = help["command"]?["arguments"]?.elements ?? []
    return arguments.compactMap { argument in
      let names = argument["names"]?.elements ?? []
      guard let name = names.first(where: { $0["kind"] == "long" })?["name"]?.string,
        !["config", "help", "version"].contains(name)
      else { return nil }
      return Option(
        name: name, isFlag: argument["kind"] == "flag",
        isRepeating: argument["isRepeating"] == true)
    }
  }

  private static func words(_ option: Option, _ value: YAMLNode) throws -> [String] {
    let name = option.name
    if option.isFlag {
      switch try value.text(name) {
      case "true": return ["--\(name)"]
      case "false": return []
      default: throw value.fault("\(name): expected true or false")
      }
    }
    if case .sequence = value.content {
      guard option.isRepeating else { throw value.fault("\(name): takes one value, found a list") }
      return try value.list(name).flatMap { pair(name, try scalar($0, name)) }
    }
    return pair(name, try scalar(value, name))
  }

  /// An option and its value; the parser takes a value that looks like an option only behind "=", and an empty one
  /// only as a word of its own.
  private static func pair(_ name: String, _ value: String) -> [String] {
    value.hasPrefix("-") ? ["--\(name)=\(value)"] : ["--\(name)", value]
  }

  private static func scalar(_ value: YAMLNode, _ name: String) throws -> String {
    guard case .scalar(let text) = value.content else {
      throw value.fault("\(name): found \(value.kind), expected text")
    }
    return text
  }
}
