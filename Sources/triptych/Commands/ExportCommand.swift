import ArgumentParser
import CanonicalJSON
import DatasetExports
import DatasetFormat
import Generation

/// `triptych export`: a run as a data set that other programs read.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes the accepted samples of a run as a data set that other programs read.",
    discussion: """
      The same run and options give the same bytes. An earlier export at the same place is replaced as a whole; \
      stopped at any time, it stays.
      """)

  @Argument(
    help: ArgumentHelp(
      "The layout, or several with commas between them: \(ExportFormatList.known).",
      valueName: "format"))
  var format: ExportFormatList

  @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
  var source: String

  @Option(name: .long, help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var output: String

  @OptionGroup var settings: ExportSettings
  @OptionGroup var runtime: RuntimeOptions

  func run() throws {
    let summary = try DataSetWriter.write(
      RunContents.open(path: source), to: output, options: settings.options(format.formats))
    try runtime.finish(members(summary), text: text(summary))
  }

  private func members(_ summary: DatasetExport.Summary) -> [JSONValue.Member] {
    [
      .init("samples", .integer(Int64(summary.samples))),
      .init("splits", .object(splits(summary).map { .init($0.rawValue, .integer(Int64($1))) })),
      .init("formats", .array(format.formats.map { .string($0.rawValue) })),
      .init("output", .string(output)), .init("files", .integer(Int64(summary.files))),
      .init("bytes", .integer(Int64(summary.bytes))),
      .init("peak_rss_bytes", .integer(Int64(ProcessUsage.peakResidentBytes))),
    ]
  }

  private func text(_ summary: DatasetExport.Summary) -> String {
    let parts = splits(summary).map { "\($1) \($0.rawValue)" }.joined(separator: ", ")
    let noun = summary.samples == 1 ? "sample" : "samples"
    return "\(summary.samples) \(noun) (\(parts)) in \(output): \(summary.files) files, "
      + MemorySize.text(summary.bytes)
  }

  private func splits(_ summary: DatasetExport.Summary) -> [(DatasetSplit, Int)] {
    DatasetSplit.allCases.compactMap { split in summary.splits[split].map { (split, $0) } }
  }
}
