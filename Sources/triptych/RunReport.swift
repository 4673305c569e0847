import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Generation

/// Tells people what happens in a run and what came of it: a bar on stderr, with --json a line on stdout for every sample.
struct RunReport {
  private let runtime: RuntimeOptions
  private let path: String
  private let noun: String
  private let reporter: ProgressReporter
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  /// A report of a run that begins now.
  ///
  /// - Parameters:
  ///   - runtime: whether lines are JSON.
  ///   - path: the run's folder.
  ///   - noun: what one sample is called.
  ///   - layout: the run's shards.
  ///   - shards: those that are made.
  init(
    _ runtime: RuntimeOptions, path: String, noun: String, layout: RunLayout, shards: [Int]
  ) {
    self.runtime = runtime
    self.path = path
    self.noun = noun
    reporter = ProgressReporter(
      total: shards.reduce(0) { $0 + layout.indices(ofShard: $1).count }, unit: noun)
    start = clock.now
  }

  /// Shows what happens.
  ///
  /// - Throws: ``GenerationError`` where a signal asks to stop.
  func show(_ event: GenerationPipeline.Event) throws {
    try Interruption.check(path, reporter)
    switch event {
    case .progress(let done): reporter.update(done: done)
    case .working: break
    case .rejected(let index, let attempt, let reasons):
      guard runtime.json else { break }
      try Console.result(
        .object([
          .init("event", "rejected"), .init("index", .integer(Int64(index))),
          .init("attempt", .integer(Int64(attempt))),
          .init("reasons", .array(reasons.map { .string($0) })),
        ]))
    case .note(let text):
      reporter.finish()
      Console.note("triptych: \(Console.oneLine(text))")
    case .kept(let record, let shard):
      guard runtime.json else { break }
      let head: [JSONValue.Member] = [
        .init("event", "sample"), .init("shard", .integer(Int64(shard))),
      ]
      try Console.result(.object(head + (record.json.members ?? [])))
    }
  }

  /// Takes the bar away.
  func end() { reporter.finish() }

  /// The time since the run began, in seconds.
  var seconds: Double { (clock.now - start) / .seconds(1) }

  /// Writes the result.
  ///
  /// - Parameters:
  ///   - summary: what the run came to.
  ///   - tally: its samples by the run's own rules.
  ///   - seconds: how long they took.
  ///   - extras: lines about what was made beside.
  /// - Throws: `ExitCode` where not all samples are accepted; ``Console/OutputFault``.
  func finish(
    _ summary: GenerationPipeline.Summary, _ tally: AcceptanceTally, seconds: Double,
    extras: [String]
  ) throws {
    let each = summary.made > 0 ? seconds / Double(summary.made) : 0
    let peak = ProcessUsage.peakResidentBytes
    var lines = [
      "\(tally.samples) \(tally.samples == 1 ? noun : noun + "s"), \(tally.accepted) accepted, in \(path)"
    ]
    if summary.made > 0 {
      let rounded = each < 0.1 ? (each * 1e4).rounded() / 1e4 : (each * 100).rounded() / 100
      lines.append(
        "\(summary.made) made now, \(rounded) s each, peak memory \(MemorySize.text(peak))")
    } else {
      lines.append("all were there already")
    }
    if tally.accepted < tally.samples { lines += tally.lines.dropFirst() }
    try runtime.finish(
      tally.members.prefix(2) + [
        .init("output", .string(path)), .init("seconds_per_sample", .number(each)),
        .init("peak_rss_bytes", .integer(Int64(peak))),
      ] + tally.members.dropFirst(2), text: (lines + extras).joined(separator: "\n"))
    // The quota of a class is the number of samples that were planned for it.
    if tally.accepted < tally.samples { throw ExitCode(ExitCodes.answerIsNo) }
  }
}

extension AcceptanceTally {
  /// The samples of some shards, by the run's own rules: a later filter changes what is exported, not whether a command
  /// did its work.
  ///
  /// - Throws: `DatasetError` where a record cannot be read.
  init(_ contents: RunContents, shards: [Int]) throws {
    self.init()
    let made = Set(shards)
    for shard in contents.shards where made.contains(shard.number) {
      for record in try contents.storedRecords(of: shard) { add(record) }
    }
  }
}
