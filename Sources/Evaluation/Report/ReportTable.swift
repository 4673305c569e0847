/// Figures in columns, for people.
enum ReportTable {
  /// One place behind the point; "-" for what was not measured.
  static func percent(_ value: Double?) -> String {
    guard let value else { return "-" }
    let tenths = Int((value * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// Columns side by side, texts on the left, numbers on the right.
  ///
  /// - Parameters:
  ///   - rows: the rows, names of columns first, all of one length.
  ///   - texts: how many columns hold texts; they stand first.
  /// - Returns: the lines.
  static func text(_ rows: [[String]], texts: Int) -> String {
    guard let head = rows.first else { return "" }
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < texts ? cell.0 + space : space + cell.0
      }
      return cells.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
