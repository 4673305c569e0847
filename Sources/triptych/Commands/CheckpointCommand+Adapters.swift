import CanonicalJSON
import Generation
import TensorCore

extension CheckpointCommand {
  /// A LoRA or an embedding as JSON; nothing of a model is compared with it.
  static func members(_ report: AdapterReport) -> [JSONValue.Member] {
    [
      .init("kind", .string(report.kind)), .init("configuration", report.configuration),
      .init("parameters", .integer(Int64(report.parameters))),
      .init("dtypes", dtypes(report.types)), .init("missing", []), .init("unexpected", []),
      .init("misshapen", []),
    ]
  }

  /// What a file is made of, for people.
  static func contents(
    _ configuration: JSONValue, _ parameters: Int, _ types: [ElementType: Int]
  ) -> [String] {
    let types = types.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
    return (configuration.members ?? []).map { "\($0.name): \($0.value.string ?? $0.value.text)" }
      + ["\(parameters) parameters; tensors: \(types)"]
  }

  /// A LoRA or an embedding for people.
  static func text(_ report: AdapterReport) -> String {
    var lines = ["kind: \(report.kind)"]
    lines += contents(report.configuration, report.parameters, report.types)
    return lines.map(Console.oneLine).joined(separator: "\n")
  }
}
