/// Collects the lengths of runs, checks their sum, and joins runs that an empty one parts.
struct RunJoiner {
  private let total: Int
  private var runs: [Int] = []
  private var sum = 0
  private var isInside = false

  /// Expects lengths of `total` in sum.
  init(total: Int) { self.total = total }

  mutating func append(_ run: Int, place: String) throws {
    guard run >= 0 else { throw ExportError(.malformed, place, "a run of length \(run)") }
    guard run <= total - sum else {
      throw ExportError(
        .malformed, place, "the runs reach beyond the picture's \(total) pixels")
    }
    sum += run
    defer { isInside.toggle() }
    if runs.isEmpty {
      runs.append(run)
    } else if run > 0 {
      // Even places are outside: an empty run left the last one open.
      if (runs.count % 2 == 1) == isInside { runs.append(run) } else { runs[runs.count - 1] += run }
    }
  }

  func finish(place: String) throws -> [Int] {
    guard sum == total else {
      throw ExportError(
        .malformed, place, "the runs are \(sum) pixels in sum, the picture has \(total)")
    }
    return runs
  }
}
