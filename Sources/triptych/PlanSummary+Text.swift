import Generation

extension PlanSummary {
  /// Classes that are listed one by one; of more, only the least and the most.
  private static let listedClasses = 24

  /// The summary for people.
  func text(output: String?) -> String {
    var lines = [
      "\(samples) pictures of \(settings.width) x \(settings.height) pixels, \(settings.steps) steps, "
        + "guidance \(settings.guidance)" + (output.map { ", in \($0)" } ?? "")
    ]
    lines += prompts.enumerated().map { "  \($0): \(Console.oneLine($1))" }
    lines += classLines
    if let seconds {
      let each = seconds / Double(max(1, samples))
      let rounded = each >= 1 ? (each * 10).rounded() / 10 : (each * 1000).rounded() / 1000
      lines.append(
        "time: about \(ProgressReporter.time(seconds)) on this machine (\(rounded) s each)")
    }
    lines.append(
      "disk: up to \(MemorySize.text(diskBytes)); memory: about \(MemorySize.text(peakBytes))"
    )
    return lines.joined(separator: "\n")
  }

  private var classLines: [String] {
    let named = perClass.filter { $0.count > 0 }
    guard let least = named.map(\.count).min(), let most = named.map(\.count).max() else {
      return []
    }
    let times = most == 1 ? "once" : least == most ? "\(least) times" : "\(least) to \(most) times"
    let silent = perClass.count - named.count
    let rest = silent > 0 ? "; \(silent) not named" : ""
    let head = "classes: \(named.count), each named \(times)\(rest)"
    guard least != most || named.count <= Self.listedClasses else { return [head] }
    guard named.count <= Self.listedClasses else {
      return [head, "  least: \(list(named, least))", "  most: \(list(named, most))"]
    }
    let nameWidth = named.map(\.name.count).max() ?? 0
    let countWidth = String(most).count
    return [head]
      + named.map { name, count in
        let number = String(count)
        let gap = String(
          repeating: " ", count: nameWidth - name.count + 2 + countWidth - number.count)
        return "  \(name)\(gap)\(number)"
      }
  }

  private func list(_ named: [(name: String, count: Int)], _ count: Int) -> String {
    let names = named.filter { $0.count == count }.map(\.name)
    let shown = names.prefix(6).joined(separator: ", ")
    return "\(shown)\(names.count > 6 ? " and \(names.count - 6) more" : "") (\(count))"
  }
}
