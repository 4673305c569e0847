import ArgumentParser
import CanonicalJSON
import Checkpoints
import Generation
import OpenVocabulary
import TensorCore

/// `triptych checkpoint`: what a checkpoint is and whether it fits.
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Says what a checkpoint is and which tensors do not fit its configuration.",
    discussion: "Exits with 1 where something does not fit.")

  @Argument(
    help: ArgumentHelp(
      "A model folder, a component's folder, a .safetensors or .ckpt file, a LoRA, an embedding, or a segmenter.",
      valueName: "path"))
  var path: String

  @OptionGroup(title: "A single file") var singleFile: SingleFileFlags

  @OptionGroup var runtime: RuntimeOptions

  func run() throws {
    runtime.apply()
    if let weights = weights() {
      if let adapter = try AdapterReport(weights, path: path) {
        return try runtime.finish(Self.members(adapter), text: Self.text(adapter))
      }
      if let segmenter = try SegmenterReport(weights) {
        try runtime.finish(Self.members(segmenter), text: Self.text(segmenter))
        if !segmenter.audit.fits { throw ExitCode(ExitCodes.answerIsNo) }
        return
      }
    }
    let report = try CheckpointReport(path: path, options: singleFile.options)
    try runtime.finish(Self.members(report), text: Self.text(report))
    if !report.fits { throw ExitCode(ExitCodes.answerIsNo) }
  }

  /// The path as one file of weights; nil where it is none.
  private func weights() -> (any WeightSource)? {
    do {
      return try WeightFile.open(path)
    } catch {
      // It may be a folder or an index; who reads those says what is wrong.
      return nil
    }
  }

  private static func members(_ report: CheckpointReport) -> [JSONValue.Member] {
    func findings(_ list: (WeightReport) -> [WeightReport.Finding]) -> [JSONValue] {
      report.parts.flatMap { part in
        (part.audit.map(list) ?? []).map { finding($0, of: part.name) }
      }
    }
    let stray = (report.singleFile?.unexpected ?? []).map { finding($0, of: nil) }
    var types: [ElementType: Int] = [:]
    for part in report.parts { types.merge(part.types, uniquingKeysWith: +) }
    return [
      .init("kind", .string(report.kind)),
      .init("prediction", report.prediction.map { .string($0) } ?? .null),
      .init(
        "configuration", .object(report.parts.map { .init($0.name, $0.configuration) })),
      .init("parameters", .integer(Int64(report.parts.reduce(0) { $0 + $1.parameters }))),
      .init("dtypes", dtypes(types)), .init("missing", .array(findings(\.missing))),
      .init("unexpected", .array(findings(\.unexpected) + stray)),
      .init("misshapen", .array(findings(\.misshapen))),
      .init("unusable", .array(findings(\.wrongType))),
      .init(
        "components",
        .object(
          report.parts.map {
            .init(
              $0.name,
              ["parameters": .integer(Int64($0.parameters)), "dtypes": dtypes($0.types)])
          })),
    ] + (report.singleFile.map(members) ?? [])
  }

  private static func members(_ file: CheckpointReport.SingleFile) -> [JSONValue.Member] {
    [
      .init(
        "ema",
        [
          "tensors": .integer(Int64(file.averaged)), "used": .bool(file.usesAverage),
        ]), .init("skipped", .array(file.skipped.map { .string($0) })),
      .init("skipped_classes", .array(file.classes.map { .string($0) })),
      .init("notices", .array(file.notices.map { .string($0) })),
    ]
  }

  static func finding(_ finding: WeightReport.Finding, of part: String?) -> JSONValue {
    [
      "component": part.map { .string($0) } ?? .null, "key": .string(finding.key),
      "expected": shape(finding.expected), "found": shape(finding.found?.shape),
      "dtype": finding.found.map { .string($0.type.rawValue) } ?? .null,
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
    if report.prediction != nil || report.singleFile != nil {
      lines.append(
        "prediction: \(report.prediction ?? "the file does not say; generate needs --prediction")")
    }
    for part in report.parts {
      let types = part.types.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
      lines.append("\(part.name): \(part.parameters) parameters; tensors: \(types)")
      guard let audit = part.audit else {
        lines.append("  no configuration is known, so nothing was compared")
        continue
      }
      lines += text(audit)
    }
    if let file = report.singleFile { lines += text(file) }
    return lines.joined(separator: "\n")
  }

  static func text(_ audit: WeightReport) -> [String] {
    var lines = audit.fits ? ["  all \(audit.expectedCount) tensors fit"] : []
    let groups = [
      ("missing", audit.missing), ("misshapen", audit.misshapen),
      ("of a type not computed with", audit.wrongType), ("unexpected", audit.unexpected),
    ]
    for (what, findings) in groups where !findings.isEmpty {
      lines += list(findings.map(line), "\(findings.count) \(what)")
    }
    return lines
  }

  private static func text(_ file: CheckpointReport.SingleFile) -> [String] {
    var lines = file.notices.map { "note: " + Console.oneLine($0) }
    if file.averaged > 0 {
      lines.append(
        "averaged weights (EMA): \(file.averaged) tensors, "
          + (file.usesAverage ? "used" : "not used; --ema uses them"))
    }
    func add(_ what: String, _ keys: [String]) {
      guard !keys.isEmpty else { return }
      lines += list(keys, "\(what): \(keys.count)")
    }
    add("unexpected beside the parts", file.unexpected.map(line))
    add("known and not needed", file.skipped.map(Console.oneLine))
    add(
      "classes and functions that are named there and were not run",
      file.classes.map(Console.oneLine))
    return lines
  }

  /// A heading and at most ten lines.
  static func list(_ lines: [String], _ heading: String) -> [String] {
    ["  " + heading] + lines.prefix(10).map { "    " + $0 }
      + (lines.count > 10 ? ["    … all of them with --json"] : [])
  }

  private static func line(_ finding: WeightReport.Finding) -> String {
    let expected = finding.expected.map { "expected \($0)" }
    let found = finding.found.map { "found \($0.shape) \($0.type.rawValue)" }
    return "\(Console.oneLine(finding.key)): "
      + [expected, found].compactMap { $0 }.joined(separator: ", ")
  }
}
