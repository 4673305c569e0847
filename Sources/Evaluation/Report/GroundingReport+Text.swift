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
      ] + shares.map(ReportTable.percent)
    }
    let head = (hasSettings ? ["setting"] : []) + Self.head
    return ReportTable.text([head] + rows, texts: head.count - 14)
  }

  private static func share(_ value: Double?, of ceiling: Double?) -> Double? {
    guard let value, let ceiling, ceiling > 0 else { return nil }
    return value / ceiling
  }
}
