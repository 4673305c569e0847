import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Gallery
import Generation
import Glibc

/// `triptych stats`: what a run holds, in numbers.
struct StatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract:
      "Counts a run: samples, reasons, classes, sizes and scores of masks, where objects lie.",
    discussion: """
      Decisions are those that hold now: the run's own, or those of triptych filter. On a terminal the counts have bars.
      """)

  @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
  var folder: String

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func run() throws {
    let contents = try RunContents.open(path: folder)
    GalleryCommand.noteMissing(contents, "not counted")
    let reporter = ProgressReporter(total: contents.sampleCount, unit: "sample")
    let statistics = try RunStatistics.counted(contents) { done in
      try Interruption.check(folder, leaving: "nothing was changed", reporter)
      reporter.update(done: Double(done))
    }
    reporter.finish()
    let lines = statistics.lines(width: Console.resultWidth, shown: Console.oneLine)
    try runtime.finish(statistics.members, text: lines.joined(separator: "\n"))
  }
}
