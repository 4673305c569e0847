import DatasetExports
import DatasetFormat
import Generation

/// Writes data sets with progress on stderr, for the commands that do.
enum DataSetWriter {
  /// Exports a run.
  ///
  /// - Throws: ``GenerationError`` where a signal stops it; `ExportError`, `DatasetError`.
  static func write(
    _ run: RunContents, to output: String, options: ExportOptions
  ) throws -> DatasetExport.Summary {
    let export = try DatasetExport(run, options: options)
    let reporter = ProgressReporter(total: export.plan.entries.count, unit: "sample")
    let summary = try export.write(to: output) { done in
      try Interruption.check(
        output, leaving: "nothing was changed there, the same command begins again", reporter)
      // Only once the place is known to be free: an error is one line.
      if done == 0 {
        for note in export.notes { Console.note("triptych: \(Console.oneLine(note))") }
      }
      reporter.update(done: Double(done))
    }
    reporter.finish()
    for note in summary.notes { Console.note("triptych: \(Console.oneLine(note))") }
    return summary
  }
}
