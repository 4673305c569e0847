import ArgumentParser
import CanonicalJSON
import Checkpoints
import Generation
import TensorCore

/// `triptych checkpoint`: what a checkpoint is and whether it fits.
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Says what a checkpoint is and which tensors do not fit its configuration.",
    discussion: "Exits with 1 where something does not fit.")

  @Argument(
    help: ArgumentHelp(
      "A model folder, a component's folder, a safetensors file, a LoRA, or an embedding.",
      valueName: "path"))
  var path: String

  @OptionGroup var runtime: RuntimeOptions

  func run() throws {
    runtime.apply()
    if let adapter = try AdapterReport(path: path) {
      return try runtime.finish(Self.members(adapter), text: Self.text(adapter))
    }
    let report = try CheckpointReport(path: path)
    try runtime.finish(Self.members(report), text: Self.text(report))
    if !report.fits { throw ExitCode(ExitCodes.answerIsNo) }
  }

  private static func members(_ report: CheckpointReport) -> [JSONValue.Member] {
    func findings(_ list: (WeightReport) -> [WeightReport.Finding]) -> JSONValue {
      .array(
        report.parts.flatMap { part in
          (part.audit.map(list) ?? []).map { finding in
            [
              "component": .string(part.name), "key": .string(finding.key),
              "expected": shape(finding.expected), "found": shape(finding.found?.shape),
              "dtype": finding.found.map { .string($0.type.rawValue) } ?? .null,
            ]
          }
        })
    }
    var types: [ElementType: Int] = [:]
    for part in report.parts { types.merge(part.types, uniquingKeysWith: +) }
    return [
      .init("kind", .string(report.kind)),
      .init(
        "configuration", .object(report.parts.map { .init($0.name, $0.configuration) })),
      .init("parameters", .integer(Int64(report.parts.reduce(0) { $0 + $1.parameters }))),
      .init("dtypes", dtypes(types)), .init("missing", findings(\.missing)),
      .init("unexpected", findings(\.unexpected)), .init("misshapen", findings(\.misshapen)),
      .init("unusable", findings(\.wrongType)),
      .init(
        "components",
        .object(
          report.parts.map {
            .init(
              $0.name,
              ["parameters": .integer(Int64($0.parameters)), "dtypes": dtypes($0.types)])
          })),
    ]
  }

  static func dtypes(_ counts: [ElementType: Int]) -> JSONValue {
    .object(
      counts.sorted { $0.key.rawValue < $1.key.rawValue }.map {
        .init($0.key.rawValue, .integer(Int64($0.value)))
      })
  }

  private static func shape(_ shape: [Int]?) -> JSONValue {
    shape.map { .array($0.map { .integer(Int64($0)) }) } ?? .null
  }

  private static func text(_ report: CheckpointReport) -> String {
    var lines = ["kind: \(report.kind)"]
    for part in report.parts {
      let types = part.types.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
      lines.append("\(part.name): \(part.parameters) parameters; tensors: \(types)")
      guard let audit = part.audit else {
        lines.append("  no config.json beside it, so nothing was compared")
        continue
      }
      if audit.fits { lines.append("  all \(audit.expectedCount) tensors fit") }
      let groups = [
        ("missing", audit.missing), ("misshapen", audit.misshapen),
        ("of a type not computed with", audit.wrongType), ("unexpected", audit.unexpected),
      ]
      for (what, findings) in groups where !findings.isEmpty {
        lines.append("  \(findings.count) \(what)")
        lines += findings.prefix(10).map { "    " + line($0) }
        if findings.count > 10 { lines.append("    … all of them with --json") }
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func line(_ finding: WeightReport.Finding) -> String {
    let expected = finding.expected.map { "expected \($0)" }
    let found = finding.found.map { "found \($0.shape) \($0.type.rawValue)" }
    return "\(Console.oneLine(finding.key)): "
      + [expected, found].compactMap { $0 }.joined(separator: ", ")
  }
}
