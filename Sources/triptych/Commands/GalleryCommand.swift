import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Gallery
import Generation

/// `triptych gallery`: a run as a folder of pages to look at.
struct GalleryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gallery",
    abstract: "Writes a folder of pages that show a run; open its index.html in a browser.",
    discussion: """
      The folder needs no network, no server and nothing outside itself: copy it anywhere. An earlier gallery at the \
      same place is replaced as a whole; stopped at any time, it stays.
      """)

  @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
  var folder: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The folder to write (default: \(RunGallery.usualFolder) in the run folder).",
      valueName: "folder"))
  var output: String?

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func run() throws {
    let contents = try RunContents.open(path: folder)
    let place = output ?? "\(folder)/\(RunGallery.usualFolder)"
    let command = try RemakeCommand(
      for: contents, model: Self.model(of: contents),
      runSeed: { SampleSeed.run(firstSeed: $0) })
    let gallery = try RunGallery(contents, command: command)
    let reporter = ProgressReporter(total: contents.sampleCount, unit: "sample")
    let summary = try gallery.write(to: place) { done in
      try Interruption.check(
        place, leaving: "nothing was changed there, the same command begins again", reporter)
      if done == 0 { Self.noteMissing(contents, "left out") }
      reporter.update(done: Double(done))
    }
    reporter.finish()
    let page = "\(place)/index.html"
    try runtime.finish(
      [
        .init("samples", .integer(Int64(summary.samples))), .init("output", .string(place)),
        .init("index", .string(page)), .init("files", .integer(Int64(summary.files))),
        .init("bytes", .integer(Int64(summary.bytes))),
        .init("missing_shards", .string(ShardSelection.text(contents.missingShards))),
      ],
      text: "\(summary.samples) \(summary.samples == 1 ? "sample" : "samples") in \(page): "
        + "\(summary.files) files, \(MemorySize.text(summary.bytes))")
  }

  /// Says which part of an unfinished run is not looked at.
  static func noteMissing(_ run: RunContents, _ what: String) {
    let missing = run.missingShards
    guard !missing.isEmpty else { return }
    Console.note(
      "triptych: \(missing.count) of \(run.layout.shardCount) shards of the run are not finished and \(what)"
    )
  }

  /// Whether the embedded model made a run, so that commands need not name one.
  private static func model(of run: RunContents) throws -> RemakeCommand.Model {
    guard let files = run.configuration["model"]?["files"] else { return .named }
    do {
      let embedded = try StableDiffusionModel(path: ModelOptions.embeddedFolder())
      return try ModelFingerprint(embedded).json == files ? .embedded : .named
    } catch let error as GenerationError where error.code == .missingInput {
      // A program without its embedded model makes galleries all the same.
      return .named
    }
  }
}
