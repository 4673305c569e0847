extension GroundingReport {
  private static let head = [
    "masks by", "from", "of", "pictures", "classes", "seen", "unseen", "harmonic", "mIoU",
    "ceiling", "of it seen", "unseen", "boundary", "presence", "present", "named absent",
    "unnamed absent",
  ]

  /// The table for people: percentages, "-" for what was not measured.
  public var text: String {
    let hasSettings = lines.contains { !$0.setting.isEmpty }
    let rows = lines.map { line -> [String] in
      let figures = line.figures
      let presence = PresenceTally.Group.allCases.map { figures.presence.accuracy($0) }
      let shares =
        [
          figures.split.seen, figures.split.unseen, figures.split.harmonic, figures.meanIoU,
          figures.ceiling,
          Self.share(figures.split.seen, of: figures.ceilingSplit.seen),
          Self.share(figures.split.unseen, of: figures.ceilingSplit.unseen), figures.boundaryIoU,
          figures.presence.accuracy,
        ] + presence
      return (hasSettings ? [line.setting] : []) + [
        line.row.source, line.row.inversion, line.group.title, String(figures.pictures),
        String(figures.classes),
      ] + shares.map(Self.percent)
    }
    return Self.table([(hasSettings ? ["setting"] : []) + Self.head] + rows)
  }

  private static func share(_ value: Double?, of ceiling: Double?) -> Double? {
    guard let value, let ceiling, ceiling > 0 else { return nil }
    return value / ceiling
  }

  /// One place behind the point.
  private static func percent(_ value: Double?) -> String {
    guard let value else { return "-" }
    let tenths = Int((value * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// Columns side by side, numbers on the right.
  private static func table(_ rows: [[String]]) -> String {
    guard let head = rows.first else { return "" }
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < row.count - 14 ? cell.0 + space : space + cell.0
      }
      return cells.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
