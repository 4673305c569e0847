public import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Generation
public import ObjectWorld

/// `triptych compose`: scenes of cut-outs with true masks.
struct ComposeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compose",
    abstract:
      "Composes scenes of cut-outs over photographs, with exact masks and prompts, and writes them to a run folder.",
    discussion: """
      The pack is a folder: cutouts/CATEGORY/THING/VIEW.png with alpha, backgrounds/ with photographs, and pack.json \
      where some are to be held out by hand. Scene i follows from the run's seed and i alone. Stopped at any time, the \
      same command goes on.
      """)

  @Option(
    name: .long, help: ArgumentHelp("The pack of cut-outs and backgrounds.", valueName: "folder"))
  var world: String

  @Option(
    name: .long, help: "What is used: all that is not held out, or only what is held out.")
  var subset: WorldSubset = .train

  @OptionGroup(title: "What to show") var scenes: SceneOptions
  @OptionGroup(title: "Output") var output: RunOutputOptions
  @OptionGroup(title: "A part of the run") var part: ShardOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func run() throws {
    runtime.apply()
    if let sheet = output.contactSheet { try WholeFile.checkPlace(sheet) }
    let pack = try WorldPack(path: world)
    let composer = try SceneComposer(
      pack, classes: scenes.worldClasses(of: pack), subset: subset, settings: scenes.settings())
    let run = CompositionRun(
      composer, packDigest: try pack.check(), count: scenes.count, seed: scenes.seed,
      shardSize: output.shardSize)
    let path = output.output ?? "Output/\(run.name)"
    let shards = try part.shards(of: run.layout)
    try ShardOptions.checkWhole(
      shards, of: run.layout, for: [("--contact-sheet", output.contactSheet != nil)])
    try DiskEstimate(
      count: run.count, width: scenes.size, height: scenes.size, hasMasks: true
    ).check(forRunAt: path)
    try make(run, shards: shards, path: path)
  }

  private func make(_ run: CompositionRun, shards: [Int], path: String) throws {
    let folder = try RunFolder.open(
      path: path, configuration: run.configuration, classes: run.composer.classes.table(),
      layout: run.layout, numerics: run.numericsFingerprint,
      access: shards.count == run.layout.shardCount ? .exclusive : .shared)
    noteWhatIsLeftOut(run.composer)
    let report = RunReport(
      runtime, path: path, noun: "scene", layout: run.layout, shards: shards)
    let summary = try run.fill(folder, shards: shards) { try report.show($0) }
    report.end()
    try folder.close()
    let seconds = report.seconds
    let contents = try RunContents.open(path: path)
    let extras = try output.writeContactSheet(contents)
    try report.finish(
      summary, try AcceptanceTally(contents, shards: shards), seconds: seconds, extras: extras)
  }

  /// What a pack holds and scenes cannot show.
  private func noteWhatIsLeftOut(_ composer: SceneComposer) {
    func note(_ names: [String], _ why: String) {
      guard !names.isEmpty else { return }
      let some = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
      Console.note(
        "triptych: \(names.count) of \(composer.pack.categories.count) categories \(why): \(Console.oneLine(some))"
      )
    }
    note(composer.emptyClasses, "have nothing in subset \(subset.rawValue)")
    note(composer.classes.unknownCategories, "are not in \(scenes.classes ?? "the classes")")
  }
}

extension WorldSubset: ExpressibleByArgument {}
