public import ArgumentParser
import CanonicalJSON
public import DatasetExports
import DatasetFormat
import Generation

/// `triptych import`: somebody's data set as a run.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Reads a PASCAL VOC or COCO data set into a run folder.",
    discussion: """
      What cannot be taken is named on stderr, a line each, and left out; exit code 1 says that there was some. \
      Crowds and void pixels are ignored pixels in the run. Stopped at any time, the same command goes on.
      """)

  @Argument(help: ArgumentHelp("The layout: voc or coco.", valueName: "format"))
  var format: ImportFormat

  @Argument(
    help: ArgumentHelp(
      "The folder of the data set; for coco also a file of annotations.", valueName: "path"))
  var source: String

  @Option(name: .long, help: ArgumentHelp("The run folder to make.", valueName: "folder"))
  var output: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "coco: the folder of the pictures, where it is none of the usual ones.", valueName: "folder"))
  var images: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "voc: a list of classes, a name a line, or a table like classes.tsv; else the set's own, or PASCAL's twenty.",
      valueName: "file"))
  var classes: String?

  @Option(name: .long, help: ArgumentHelp("Samples of a shard.", valueName: "n"))
  var shardSize = 100

  @Option(
    name: .long,
    help: ArgumentHelp("The data set's licence, for cards of exports.", valueName: "name"))
  var licence: String?

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    guard 1...RunOutputOptions.shardLimit ~= shardSize else {
      throw ValidationError(
        "--shard-size: found \(shardSize), expected 1 to \(RunOutputOptions.shardLimit)")
    }
    if let licence, !ExportOptions.isLicence(licence) {
      throw ValidationError("--licence: expected one line of up to 200 characters")
    }
    if output.isEmpty { throw ValidationError("--output: is empty, expected a folder") }
  }

  func run() throws {
    let reading = try DatasetImport(
      ImportPlace(format: format, path: source, images: images, classes: classes))
    let looking = ProgressReporter(total: reading.count, unit: "picture")
    try reading.look { fault in
      looking.finish()
      Console.note("triptych: \(Console.oneLine("\(fault)"))")
    } progress: { done in
      try Interruption.check(source, leaving: "nothing was written", looking)
      looking.update(done: Double(done))
    }
    looking.finish()
    let writing = ProgressReporter(total: reading.findings.samples, unit: "sample")
    try reading.write(
      to: output, shardSize: shardSize, licence: licence, version: ProgramVersion.text
    ) { done in
      try Interruption.check(output, writing)
      writing.update(done: Double(done))
    }
    writing.finish()
    try finish(reading)
  }

  private func finish(_ reading: DatasetImport) throws {
    let findings = reading.findings
    let faults = findings.faults.map { fault -> JSONValue in
      ["place": .string(fault.place), "problem": .string(fault.problem)]
    }
    var text =
      "\(findings.samples) of \(findings.listed) pictures in \(output), "
      + "\(reading.classes.entries.count) classes"
    if findings.faultCount > 0 { text += "; \(findings.faultCount) faults, named above" }
    try runtime.finish(
      [
        .init("samples", .integer(Int64(findings.samples))),
        .init("listed", .integer(Int64(findings.listed))),
        .init("classes", .integer(Int64(reading.classes.entries.count))),
        .init("output", .string(output)),
        .init("fault_count", .integer(Int64(findings.faultCount))),
        .init("faults", .array(faults)),
      ], text: text)
    if findings.faultCount > 0 { throw ExitCode(ExitCodes.answerIsNo) }
  }
}

extension ImportFormat: ExpressibleByArgument {}
