import CanonicalJSON

// Where the pictures come from and what was left out.
extension DatasetCard {
  /// The run's configuration as a table.
  var making: String {
    let rows = ConfigurationRows(plan.configuration).rows.map { key, value in
      "| `\(key)` | \(MarkdownText.escaped(value)) |"
    }
    return """
      ## How it was made

      Made with triptych. The run is described by `run.json` (SHA-256 `\(plan.configurationHash)`); the same program with
      the same model, or the same sources, makes the same pictures from it.

      | setting | value |
      |---|---|
      \(rows.joined(separator: "\n"))
      """
  }

  /// What was kept and what was not.
  var filters: String {
    let census = plan.census
    let share = Double(census.rejected) / Double(max(1, census.samples)) * 100
    var lines = [
      "## Filters", "",
      "\(census.samples) pictures were made, \(census.rejected) of them "
        + "(\((share * 10).rounded() / 10) %) rejected, \(plan.entries.count) are here.",
    ]
    if census.withoutMask > 0 {
      lines.append("\(census.withoutMask) accepted pictures have no mask and are left out.")
    }
    if census.missingShards > 0 {
      lines.append("The run was not finished: \(census.missingShards) of its shards are missing.")
    }
    if !census.rejectedByReason.isEmpty {
      lines += ["", "| reason | rejected |", "|---|---|"]
      lines += census.rejectedByReason.sorted { $0.key < $1.key }.map {
        "| \(MarkdownText.escaped($0.key)) | \($0.value) |"
      }
    }
    if let rules = plan.appliedRules {
      let rows = ConfigurationRows(rules).rows.map { key, value in
        "| `\(key)` | \(MarkdownText.escaped(value)) |"
      }
      lines += ["", "The rules, applied after the pictures were made:", "", "| rule | value |"]
      lines += ["|---|---|"] + rows
    }
    return lines.joined(separator: "\n")
  }
}
