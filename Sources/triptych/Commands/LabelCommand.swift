import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Evaluation
import Generation

/// `triptych label`: masks of a run's pictures by a segmenter.
struct LabelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "label",
    abstract: "Labels the pictures of a run with a segmenter, as COCO JSON with runs and scores.")

  @Argument(help: ArgumentHelp("The run.", valueName: "run"))
  var data: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A segmenter.safetensors, as triptych train segmenter makes it.", valueName: "file"))
  var segmenter: String

  @Flag(
    name: .long,
    help: "Let all classes compete for a picture, not only those that its prompt names.")
  var allClasses = false

  @Option(name: .long, help: ArgumentHelp("Where the labels go.", valueName: "file"))
  var output: String

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func run() throws {
    runtime.apply()
    try WholeFile.checkPlace(output)
    let contents = try RunContents.open(path: data)
    let loaded = try Segmenter(path: segmenter)
    let labeller = try RunLabeller(contents, loaded, namesOnly: !allClasses)
    let progress = ProgressReporter(total: contents.sampleCount, unit: "picture")
    let (pictures, regions) = try labeller.write(to: output) { done in
      try Interruption.check(output, leaving: "nothing was written", progress)
      progress.update(done: Double(done))
    }
    progress.finish()
    let own = loaded.configuration.ownIoU
    try runtime.finish(
      [
        .init("output", .string(output)), .init("pictures", .integer(Int64(pictures))),
        .init("annotations", .integer(Int64(regions))),
        .init("segmenter_miou", own.map { .number($0) } ?? .null),
      ],
      text: "\(pictures) pictures, \(regions) regions in \(output)"
        + (own.map {
          "\nthe segmenter's own mIoU on held-out scenes: \(($0 * 1000).rounded() / 10)"
        }
          ?? ""))
  }
}
