import ArgumentParser
import CanonicalJSON
import Checkpoints
import Generation
import Imaging
import OpenVocabulary
import TensorCore

/// `triptych segment`: which of any words each pixel of a picture is.
struct SegmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segment",
    abstract: "Gives every pixel of pictures one of your labels, by a segmenter of any words.",
    discussion: """
      Writes for each picture NAME.png (a palette of the labels' ids at the picture's size: from 1 in their order, 0 for \
      "other"; 16-bit grey above 254) and NAME.overlay.png, and lists in segments.jsonl each label's share of the pixels \
      and their mean probability. The same command on the same folder goes on where it stopped. With --input-tensor and \
      --save-logits a network is run on tensors: image [n, 3, h, w], normalised, and tokens [classes, 77] or embeddings \
      [classes, templates, width]; the result is logits [n, classes, h, w], with --early-rejection also probabilities \
      and survivors [3, classes].
      """)

  @Argument(
    help: ArgumentHelp("PNG or JPEG files, or folders of them.", valueName: "image"))
  var images: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Folder of the results; made if missing.", valueName: "folder"))
  var output: String?

  @Flag(
    name: .long,
    help: "LSeg: show each picture at six scales, mirrored too, as its published evaluation does.")
  var multiScale = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Show pictures as squares of this side (default: as published: LSeg in crops of 480 of a picture whose longer side "
        + "is 520, SED at 768).", valueName: "pixels"))
  var inputSize: Int?

  @Option(
    name: .long, help: ArgumentHelp("Run the network on these tensors.", valueName: "file"))
  var inputTensor: String?

  @Option(
    name: .long, help: ArgumentHelp("Where the network's tensors go.", valueName: "file"))
  var saveLogits: String?

  @OptionGroup(title: "Labels") var labels: LabelOptions
  @OptionGroup(title: "Model") var segmenter: SegmenterOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    guard (inputTensor == nil) == (saveLogits == nil) else {
      throw ValidationError("--input-tensor and --save-logits go together")
    }
    if inputTensor != nil {
      guard images.isEmpty, output == nil, labels.labels.isEmpty, inputSize == nil, !multiScale
      else {
        throw ValidationError(
          "--input-tensor holds picture and labels; no pictures, --labels, --output, --input-size or --multi-scale go "
            + "with it")
      }
    } else {
      guard !images.isEmpty else { throw ValidationError("give a picture, or a folder of them") }
      guard let output, !output.isEmpty else {
        throw ValidationError("give --output: a folder for masks, overlays and the list")
      }
    }
  }

  func run() throws {
    runtime.apply()
    if let inputTensor, let saveLogits {
      try runTensors(inputTensor, to: saveLogits)
    } else if let output {
      try runPictures(to: output)
    }
  }

  private func runPictures(to output: String) throws {
    let names = try SegmentNames(images, output: output)
    let list = try labels.list()
    let opened = try segmenter.open()
    let settings = segmenter.settings(multiScale: multiScale, inputSide: inputSize)
    try settings.check(opened.architecture)
    let said = try LabelSpeech(labels, list, opened, path: segmenter.model, runtime)
    let features = try said.features { done in
      try Interruption.check(output, leaving: "finished pictures and texts stay")
    }
    for notice in features.notices { Console.note("triptych: \(Console.oneLine(notice))") }
    let pictures = try PictureSegmenter(
      segmenter.network(of: opened), labels: list, features: features.tensor, settings: settings)
    // Last of all: what stands there is given up only for something that can be made.
    let folder = try SegmentFolder(
      path: output, configuration: said.configuration(settings, segmenter),
      labelCount: list.labels.count)
    let open = names.entries.filter { !folder.isFinished($0.image, $0) }
    let reporter = ProgressReporter(total: open.count, unit: "picture")
    var evaluated: [Int] = []
    for (number, entry) in open.enumerated() {
      try Interruption.check(output, reporter)
      let picture = try ImageFile.read(entry.image)
      let segmented = try pictures(picture)
      try folder.write(
        segmented, of: picture, image: entry.image, entry, depth: list.maskDepth)
      evaluated = Self.sum(evaluated, segmented.evaluatedClasses)
      try tell(entry, segmented, in: output)
      reporter.update(done: Double(number + 1))
    }
    reporter.finish()
    try runtime.finish(
      [
        .init("output", .string(output)), .init("segments", .string(folder.listPath)),
        .init("pictures", .integer(Int64(open.count))),
        .init("finished_before", .integer(Int64(names.entries.count - open.count))),
        .init("architecture", .string(opened.architecture.rawValue)),
        .init("labels", .integer(Int64(list.labels.count))),
        .init("text_encoded", .integer(Int64(features.encodedCount))),
        .init("evaluated_classes", .array(evaluated.map { .integer(Int64($0)) })),
        .init("peak_rss_bytes", .integer(Int64(ProcessUsage.peakResidentBytes))),
      ],
      text: "\(open.count) picture(s) in \(output)"
        + (open.count < names.entries.count
          ? ", \(names.entries.count - open.count) were there" : "")
        + ", \(features.encodedCount) label(s) encoded\n\(folder.listPath)")
  }

  /// Tells what was found in a picture.
  private func tell(
    _ entry: SegmentNames.Entry, _ segmented: SegmentedPicture, in output: String
  ) throws {
    guard runtime.json else {
      let found = segmented.findings.filter { $0.share > 0 }.sorted { $0.share > $1.share }
      let shares = found.prefix(8).map { finding in
        "\(Console.oneLine(finding.label.name)) \((finding.share * 1000).rounded() / 10)%"
      }
      let more = found.count > 8 ? " and \(found.count - 8) more" : ""
      return try Console.result(
        "\(Console.oneLine(entry.image)): " + shares.joined(separator: ", ") + more)
    }
    try Console.result(
      .object([
        .init("event", "picture"), .init("image", .string(entry.image)),
        .init("mask", .string("\(output)/\(entry.mask)")),
        .init("overlay", .string("\(output)/\(entry.overlay)")),
        .init(
          "evaluated_classes",
          .array(segmented.evaluatedClasses.map { .integer(Int64($0)) })),
      ]))
  }

  private static func sum(_ first: [Int], _ second: [Int]) -> [Int] {
    first.isEmpty ? second : zip(first, second).map { $0 + $1 }
  }

  private func runTensors(_ input: String, to path: String) throws {
    try WholeFile.checkPlace(path)
    let opened = try segmenter.open()
    let settings = segmenter.settings()
    try settings.check(opened.architecture)
    let file = try SegmenterTensorFile(path: input)
    let image = try file.image()
    let network = try segmenter.network(of: opened)
    let classes = try file.classes(
      tower: opened.textTower, templates: opened.templateCount, width: network.featureWidth)
    let tensors = try SegmenterTensors(
      network, image: image, classes: classes, settings: settings)
    try tensors.write(to: path)
    let shape = tensors.logits.shape
    let logits = [shape[0], shape[3], shape[1], shape[2]]
    try runtime.finish(
      [
        .init("output", .string(path)),
        .init("architecture", .string(opened.architecture.rawValue)),
        .init("logits", .array(logits.map { .integer(Int64($0)) })),
        .init(
          "evaluated_classes", .array(tensors.evaluatedClasses.map { .integer(Int64($0)) })),
        .init("peak_rss_bytes", .integer(Int64(ProcessUsage.peakResidentBytes))),
      ], text: "logits \(logits) in \(path)")
  }
}
