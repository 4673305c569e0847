import CanonicalJSON
import TensorCore

/// What a run spent its time on, operation by operation, against what the machine can do.
struct OperationTable {
  private let entries: [OperationProfile.Entry]
  private let seconds: Double
  private let peaks: (float: Double, narrow: Double)

  /// Runs `body` once and writes down where its time went.
  init(of body: () throws -> Void) rethrows {
    let clock = ContinuousClock()
    let start = clock.now
    entries = try OperationProfile.recording(body)
    seconds = (clock.now - start) / .seconds(1)
    let level = KernelLevel.selected
    peaks = (level.measuredPeak(isNarrow: false), level.measuredPeak(isNarrow: true))
  }

  /// What is not in any operation: the layers' own work between them.
  private var rest: Double { max(0, seconds - entries.reduce(0) { $0 + $1.seconds }) }

  private func peak(of entry: OperationProfile.Entry) -> Double {
    entry.isNarrow ? peaks.narrow : peaks.float
  }

  /// One object an operation, most time first, and the peaks.
  var json: JSONValue {
    let rows = entries.map { entry in
      var members: [JSONValue.Member] = [
        .init("operation", .string(entry.kind.rawValue)),
        .init("arithmetic", .string(entry.isNarrow ? "bfloat16" : "float32")),
        .init("calls", .integer(Int64(entry.calls))), .init("seconds", .number(entry.seconds)),
        .init("share", .number(entry.seconds / seconds)),
      ]
      if entry.operations > 0 {
        members.append(.init("gflops", .number(entry.operations / entry.seconds / 1e9)))
        members.append(
          .init("peak_share", .number(entry.operations / entry.seconds / peak(of: entry))))
      }
      return JSONValue.object(members)
    }
    return .object([
      .init("seconds", .number(seconds)), .init("float32_peak_gflops", .number(peaks.float / 1e9)),
      .init("bfloat16_peak_gflops", .number(peaks.narrow / 1e9)), .init("operations", .array(rows)),
    ])
  }

  /// The same as a table for people.
  var text: String {
    let header = ["operation", "arithmetic", "calls", "seconds", "share", "GFLOP/s", "of peak"]
    var rows = entries.map { entry in
      let speed = entry.operations / entry.seconds
      return [
        entry.kind.rawValue, entry.isNarrow ? "bfloat16" : "float32", "\(entry.calls)",
        Self.decimal(entry.seconds, 4), Self.percent(entry.seconds / seconds),
        entry.operations > 0 ? Self.decimal(speed / 1e9, 0) : "",
        entry.operations > 0 ? Self.percent(speed / peak(of: entry)) : "",
      ]
    }
    rows.append(["between", "", "", Self.decimal(rest, 4), Self.percent(rest / seconds), "", ""])
    rows.append(["all", "", "", Self.decimal(seconds, 4), "", "", ""])
    let widths = header.indices.map { column in
      ([header] + rows).map { $0[column].count }.max() ?? 0
    }
    let lines = ([header] + rows).map { row in
      row.enumerated().map { column, cell in
        let blank = String(repeating: " ", count: widths[column] - cell.count)
        return column < 2 ? cell + blank : blank + cell
      }.joined(separator: "  ")
    }
    return
      (lines + [
        "peak in registers: float32 \(Self.decimal(peaks.float / 1e9, 0)), "
          + "products of this level \(Self.decimal(peaks.narrow / 1e9, 0)) GFLOP/s"
      ]).joined(separator: "\n")
  }

  private static func percent(_ share: Double) -> String { decimal(100 * share, 1) + " %" }

  private static func decimal(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "–" }
    let unit = (0..<digits).reduce(1.0) { unit, _ in unit * 10 }
    let whole = Int((value * unit).rounded())
    guard digits > 0 else { return "\(whole)" }
    let fraction = String(whole % Int(unit))
    return "\(whole / Int(unit))."
      + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
