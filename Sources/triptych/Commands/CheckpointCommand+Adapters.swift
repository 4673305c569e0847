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

  /// A LoRA or an embedding for people.
  static func text(_ report: AdapterReport) -> String {
    var lines = ["kind: \(report.kind)"]
    for member in report.configuration.members ?? [] {
      lines.append("\(member.name): \(member.value.string ?? member.value.text)")
    }
    let types = report.types.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
    lines.append("\(report.parameters) parameters; tensors: \(types)")
    return lines.map(Console.oneLine).joined(separator: "\n")
  }
}
