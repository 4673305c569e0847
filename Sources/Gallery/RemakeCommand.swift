import CanonicalJSON
public import DatasetFormat

/// The command that makes a sample of a run again.
///
/// Of a generated run it is `generate` with the sample's prompt and a run seed whose first sample has the sample's seed:
/// the same noise and the same picture; classes are numbered anew, in the order of the sample's entities. Of a composed
/// run it is `compose` for the sample's shard. What run.json does not hold because it is a path stands in capitals.
public struct RemakeCommand {
  /// Which model a command needs.
  public enum Model: Sendable {
    /// The one that the program takes where nobody says.
    case embedded
    /// One that the reader must name.
    case named
  }

  private let configuration: JSONValue
  private let layout: RunLayout
  private let model: Model
  private let runSeed: (UInt64) -> UInt64

  /// Prepares for a run.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - model: which model made it.
  ///   - runSeed: the seed of a run whose sample 0 has a given seed at its first attempt.
  public init(
    for run: RunContents, model: Model, runSeed: @escaping (UInt64) -> UInt64
  ) {
    configuration = run.configuration
    layout = run.layout
    self.model = model
    self.runSeed = runSeed
  }

  /// What must be put in place of the capitals, a line each.
  var placeholders: [(name: String, meaning: String)] {
    if configuration["world"] != nil {
      return [
        ("PACK", "the folder of the pack the scenes were composed of"),
        ("RUN", "this run's folder"),
      ]
    }
    var found: [(String, String)] = []
    if model == .named {
      found.append(("MODEL", "the model whose files have the hashes of run.json"))
    }
    if configuration["masks"]?["source"]?["name"] == "grounding" {
      found.append(("GROUNDING", "the grounding module's weights"))
    }
    if !(configuration["sampling"]?["latents_sha256"] ?? .null).isNull {
      found.append(("LATENTS", "a file with the latents that this sample began with"))
    }
    return found
  }

  /// The command for a sample; nil where its run was made by neither `generate` nor `compose`.
  package func text(_ record: SampleRecord) -> String? {
    if configuration["world"] != nil { return composing(record) }
    guard configuration["sampling"]?.members != nil, record.steps != nil else { return nil }
    return generating(record)
  }

  private func generating(_ record: SampleRecord) -> String {
    let sampling = configuration["sampling"] ?? .null
    var command = ShellCommand("triptych generate")
    command.add("--prompt", record.prompt)
    if record.hasMask { addMasks(record, to: &command) }
    command.add("--seed", String(runSeed(record.seed)))
    if model == .named { command.add("--model MODEL") }
    for adapter in configuration["model"]?["adapters"]?.elements ?? [] {
      guard let kind = adapter["kind"]?.string, let file = adapter["file"]?.string else { continue }
      let detail = adapter["weight"]?.text ?? adapter["tokens"]?.elements?.first?.string
      command.add("--\(kind)", file + (detail.map { ":" + $0 } ?? ""))
    }
    let options = ["steps", "guidance", "guidance_rescale", "scheduler", "eta", "width", "height"]
    for key in options {
      guard let value = sampling[key], !value.isNull else { continue }
      command.add(
        "--" + key.split(separator: "_").joined(separator: "-"), value.string ?? value.text)
    }
    if let negative = sampling["negative_prompt"]?.string, !negative.isEmpty {
      command.add("--negative-prompt", negative)
    }
    if !(sampling["latents_sha256"] ?? .null).isNull { command.add("--latents LATENTS") }
    for key in ["precision", "isa"] {
      guard let value = configuration["numerics"]?[key]?.string else { continue }
      command.add("--" + key, value)
    }
    return finished(command, record)
  }

  private func addMasks(_ record: SampleRecord, to command: inout ShellCommand) {
    let masks = configuration["masks"] ?? .null
    // What was looked for in prompts written by hand stands in the configuration; else the prompt's own words do.
    let byHand = masks["entities"]?.elements?.compactMap(\.string) ?? []
    let words = byHand.isEmpty ? record.entities.map(\.words) : byHand
    guard !words.isEmpty else { return }
    command.add("--entities", words.joined(separator: ","))
    if masks["source"]?["name"] == "grounding" {
      command.add("--grounding GROUNDING")
    } else {
      let source = masks["source"] ?? .null
      command.add("--attention-refinement", source["refinement"]?["power"]?.text ?? "0")
      if let scale = source["normalisation"]?.string { command.add("--attention-scale", scale) }
      if let bound = source["threshold"] { command.add("--attention-threshold", bound.text) }
    }
    if masks["flip_check"] == true { command.add("--flip-check") }
    if !(masks["ignore_band"] ?? .null).isNull { command.add("--ignore-band") }
  }

  /// Adds the folder, and rules that end after this attempt where the usual ones would go on to another.
  private func finished(_ command: ShellCommand, _ record: SampleRecord) -> String {
    var command = command
    let hasFlipCheck = configuration["masks"]?["flip_check"] == true
    let rules = FilterRules.usual(hasMasks: record.hasMask, hasFlipCheck: hasFlipCheck)
    let isRepeated = !rules.reasons(for: record, among: []).isEmpty
    if isRepeated { command.add("--filters once.yaml") }
    command.add("--output", "sample-\(record.index)")
    return (isRepeated ? "echo 'attempts: 1' > once.yaml && " : "") + command.text
  }

  private func composing(_ record: SampleRecord) -> String {
    let scenes = configuration["scenes"] ?? .null
    var command = ShellCommand("triptych compose --world PACK --classes RUN/classes.tsv")
    if let subset = configuration["world"]?["subset"]?.string { command.add("--subset", subset) }
    let objects = (scenes["objects"]?.members ?? []).map { "\($0.name):\($0.value.text)" }
    if !objects.isEmpty { command.add("--objects", objects.joined(separator: ",")) }
    for (option, value) in [
      ("--size", scenes["width"]), ("--doubles", scenes["doubles"]), ("--only", scenes["only"]),
      ("--seed", configuration["seed"]), ("--count", configuration["count"]),
      ("--shard-size", configuration["shard_size"]),
    ] {
      guard let value, !value.isNull else { continue }
      command.add(option, value.string ?? value.text)
    }
    command.add("--shards", String(record.index / layout.shardSize))
    command.add("--output", "shard-\(record.index / layout.shardSize)")
    return command.text
  }
}
