import Glibc

/// Shows how far a run is: a bar on a terminal, else a plain line every few seconds; always on stderr.
final class ProgressReporter {
  private static let barWidth = 24
  private var total: Int
  private let unit: String
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let onTerminal: Bool
  private let pause: Duration
  private var lastShown: ContinuousClock.Instant?
  private var firstDone: Double?

  /// Counts `total` things, each called `unit` ("image").
  init(total: Int, unit: String) {
    self.total = total
    self.unit = unit
    onTerminal = Console.isTerminal
    pause = onTerminal ? .milliseconds(100) : .seconds(5)
    start = clock.now
  }

  /// Shows that `done` things are finished, counting parts; keeps silent if it spoke just now.
  ///
  /// - Parameters:
  ///   - done: the things.
  ///   - detail: what else there is to say.
  func update(done: Double, detail: String? = nil) {
    let now = clock.now
    // What an earlier run had finished says nothing about this run's speed.
    let first = firstDone ?? done
    firstDone = first
    guard now - (lastShown ?? start) >= pause else { return }
    lastShown = now
    show(
      done: done, sinceStart: done - first, seconds: (now - start) / .seconds(1), detail: detail)
  }

  /// The same where the total is known only by now.
  func update(done: Double, total: Int) {
    self.total = total
    update(done: done)
  }

  /// Takes the bar away, so that the next line starts clean.
  func finish() {
    if onTerminal && lastShown != nil { Console.raw("\r\u{1B}[K") }
  }

  private func show(done: Double, sinceStart: Double, seconds: Double, detail: String?) {
    var parts = ["\(Int(done))/\(total) \(unit)s"]
    if sinceStart > 0 {
      let each = seconds / sinceStart
      parts.append(each >= 1 ? "\(rounded(each)) s each" : "\(rounded(1 / each)) a second")
      parts.append("\(Self.time(each * (Double(total) - done))) left")
    }
    if let detail { parts.append(detail) }
    let text = parts.joined(separator: ", ")
    guard onTerminal else {
      Console.note(text)
      return
    }
    let filled = min(Self.barWidth, Int(Double(Self.barWidth) * done / Double(max(1, total))))
    let bar =
      String(repeating: "#", count: filled)
      + String(repeating: "-", count: Self.barWidth - filled)
    Console.raw("\r[\(bar)] \(text)\u{1B}[K")
  }

  private func rounded(_ value: Double) -> Double {
    value >= 100 ? value.rounded() : (value * 10).rounded() / 10
  }

  /// Hours, minutes and seconds as people write them.
  static func time(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e7 else { return "a long time" }
    let whole = Int(seconds.rounded(.up))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
  }
}
