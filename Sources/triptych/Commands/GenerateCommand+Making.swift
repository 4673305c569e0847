import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Generation
import TensorCore

extension GenerateCommand {
  /// Makes what is missing of the run, and what was asked for beside it.
  func make(
    _ run: GenerationRun, shards: [Int], model: StableDiffusionModel, initial: Tensor?,
    path: String, fit: MemoryPlan.Fit
  ) throws {
    if let filters {
      try FilterRulesFile.check(run.rules, against: run.classes(), file: filters)
    }
    let maker = try SampleMaker(
      model: model, plan: run.plan, settings: run.settings, masks: run.masks,
      initialLatents: initial, tiling: memory.vaeTiling.tiling)
    let folder = try RunFolder.open(
      path: path, configuration: run.configuration, classes: run.classes(), layout: run.layout,
      numerics: run.numericsFingerprint,
      access: shards.count == run.layout.shardCount ? .exclusive : .shared)
    for line in memory.notices(fit, batch: sampling.batch, count: run.plan.count) {
      Console.note("triptych: \(line)")
    }
    if let notice = try maskNotice(run.masks) { Console.note("triptych: \(notice)") }
    let reporter = ProgressReporter(
      total: shards.reduce(0) { $0 + run.layout.indices(ofShard: $1).count }, unit: "image")
    let clock = ContinuousClock()
    let start = clock.now
    let pipeline = GenerationPipeline(run, maker: maker, batch: fit.batch)
    let (summary, finalLatents) = try pipeline.fill(
      folder, shards: shards, keepsLatents: saveLatents != nil
    ) { event in
      try show(event, path: path, reporter)
    }
    reporter.finish()
    try folder.close()
    if let saveLatents, let finalLatents { try LatentsFile.write(finalLatents, to: saveLatents) }
    let seconds = (clock.now - start) / .seconds(1)
    let contents = try RunContents.open(path: path)
    if let sheet = output.contactSheet {
      try RunSheet.write(try RunSheet.draw(contents), to: sheet)
    }
    // By the run's own rules: a later filter changes what is exported, not whether this command did its work.
    let made = Set(shards)
    var tally = AcceptanceTally()
    for shard in contents.shards where made.contains(shard.number) {
      for record in try contents.storedRecords(of: shard) { tally.add(record) }
    }
    if let export, tally.accepted > 0 {
      _ = try DataSetWriter.write(
        contents, to: path + "/exports", options: exports.options(export.formats))
    }
    try finish(summary, tally, path: path, seconds: seconds)
  }

  /// Shows what happens: a bar on stderr, with --json a line on stdout for every attempt.
  ///
  /// - Throws: ``GenerationError`` where a signal asks to stop.
  private func show(
    _ event: GenerationPipeline.Event, path: String, _ reporter: ProgressReporter
  ) throws {
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

  private func finish(
    _ summary: GenerationPipeline.Summary, _ tally: AcceptanceTally, path: String, seconds: Double
  ) throws {
    let each = summary.made > 0 ? seconds / Double(summary.made) : 0
    let peak = ProcessUsage.peakResidentBytes
    let noun = tally.samples == 1 ? "picture" : "pictures"
    var lines = ["\(tally.samples) \(noun), \(tally.accepted) accepted, in \(path)"]
    if summary.made > 0 {
      let rounded = (each * 100).rounded() / 100
      lines.append(
        "\(summary.made) made now, \(rounded) s each, peak memory \(MemorySize.text(peak))")
    } else {
      lines.append("all were there already")
    }
    if tally.accepted < tally.samples { lines += tally.lines.dropFirst() }
    if let sheet = output.contactSheet { lines.append("contact sheet: \(sheet)") }
    if export != nil, tally.accepted > 0 { lines.append("data sets: \(path)/exports") }
    try runtime.finish(
      tally.members.prefix(2) + [
        .init("output", .string(path)), .init("seconds_per_sample", .number(each)),
        .init("peak_rss_bytes", .integer(Int64(peak))),
      ] + tally.members.dropFirst(2), text: lines.joined(separator: "\n"))
    // The quota of a class is the number of samples that were planned for it.
    if tally.accepted < tally.samples { throw ExitCode(ExitCodes.answerIsNo) }
  }
}
