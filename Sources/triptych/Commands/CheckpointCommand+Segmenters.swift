import CanonicalJSON
import Checkpoints
import OpenVocabulary
import TensorCore

extension CheckpointCommand {
  /// A segmenter's file as JSON.
  static func members(_ report: SegmenterReport) -> [JSONValue.Member] {
    func findings(_ list: [WeightReport.Finding]) -> JSONValue {
      .array(list.map { finding($0, of: nil) })
    }
    return [
      .init("kind", .string(report.architecture.rawValue)),
      .init("configuration", report.configuration),
      .init("parameters", .integer(Int64(report.parameters))),
      .init("dtypes", dtypes(report.types)), .init("missing", findings(report.audit.missing)),
      .init("unexpected", findings(report.audit.unexpected)),
      .init("misshapen", findings(report.audit.misshapen)),
      .init("unusable", findings(report.audit.wrongType)),
      .init("skipped", .array(report.skipped.map { .string($0) })),
      .init("notices", .array(report.notices.map { .string($0) })),
    ]
  }

  /// A segmenter's file for people.
  static func text(_ report: SegmenterReport) -> String {
    var lines = ["kind: \(report.architecture.rawValue)"]
    lines += contents(report.configuration, report.parameters, report.types).map(Console.oneLine)
    lines += text(report.audit)
    if !report.skipped.isEmpty {
      lines += list(
        report.skipped.map(Console.oneLine), "known and not needed: \(report.skipped.count)")
    }
    return (lines + report.notices.map { "note: " + Console.oneLine($0) }).joined(separator: "\n")
  }
}
