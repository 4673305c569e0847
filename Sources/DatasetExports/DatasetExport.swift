import CanonicalJSON
public import DatasetFormat
import Imaging

/// Turns a run into a data set.
///
/// The bytes depend on the run's finished shards and the options alone. Memory does not grow with the pixels: about
/// two kilobytes a sample are held, for the split and the manifest.
public struct DatasetExport {
  /// What was written.
  public struct Summary: Sendable, Equatable {
    /// Samples.
    public var samples: Int
    /// Samples of each split.
    public var splits: [DatasetSplit: Int]
    /// Files, the manifest included.
    public var files: Int
    /// Bytes of all files.
    public var bytes: Int
    /// What people should know of what was written, a line each.
    public var notes: [String]
  }

  /// What is written.
  public let plan: ExportPlan
  private let run: RunContents

  /// Plans an export.
  ///
  /// - Throws: ``ExportError`` where there is nothing to export, `DatasetError` where the run cannot be read.
  public init(_ run: RunContents, options: ExportOptions) throws {
    self.run = run
    plan = try ExportPlan(run, options: options)
  }

  /// What people should know before it is written, a line each.
  public var notes: [String] {
    let (census, options) = (plan.census, plan.options)
    var notes: [String] = []
    if census.missingShards > 0 {
      notes.append(
        "\(census.missingShards) shards of the run are not finished (\(missingShards)); their samples are left out"
      )
    }
    if census.withoutMask > 0 {
      notes.append("\(census.withoutMask) accepted samples have no mask and are left out")
    }
    if census.small > 0 {
      notes.append(
        "\(census.small) pictures have a side below \(RunCensus.leastSide) pixels; some loaders refuse them"
      )
    }
    if options.imageFormat == .png && options.formats.contains(.voc) {
      notes.append("voc pictures are JPEG all the same: its loaders look for NAME.jpg")
    }
    notes += options.formats.compactMap(\.loss)
    for split in options.shares.used where plan.count(of: split) == 0 {
      notes.append("\(split.rawValue) is empty: prompts stay together, and there are too few")
    }
    if options.licence == ExportOptions.unspecifiedLicence {
      notes.append("the licence is written as unspecified; --licence NAME sets it")
    }
    return notes
  }

  /// Writes the data set.
  ///
  /// - Parameters:
  ///   - path: the folder; an earlier export there is replaced.
  ///   - fileSystem: the folder around it where it is another than the machine's.
  ///   - progress: told how many samples are written; what it throws ends the work.
  /// - Returns: what was written.
  /// - Throws: ``ExportError``, `DatasetError` and what `progress` throws; nothing is left at the folder then.
  public func write(
    to path: String, fileSystem: (any FileSystem)? = nil, progress: (Int) throws -> Void
  ) throws -> Summary {
    let folder = try ExportFolder(path: path, fileSystem: fileSystem)
    do {
      let summary = try fill(folder, progress: progress)
      try folder.commit()
      return summary
    } catch {
      folder.abandon()
      throw error
    }
  }

  /// The shards that are not finished, the first of them where they are many.
  private var missingShards: String {
    let missing = run.missingShards
    let shown = ShardSelection.text(Array(missing.prefix(20)))
    return missing.count > 20 ? shown + ",…" : shown
  }

  private func fill(_ folder: ExportFolder, progress: (Int) throws -> Void) throws -> Summary {
    let exporters = try plan.options.formats.map { try $0.exporter(plan, folder) }
    let samples = try SampleList(folder)
    for exporter in exporters { try exporter.begin() }
    try forEachEntry { sample, split in
      try samples.add(sample.record, split: split)
      for exporter in exporters { try exporter.announce(sample.record, split: split) }
    }
    try samples.finish()
    var statistics = ExportStatistics(categories: plan.categories.count)
    let reader = SampleReader(run: run, plan: plan)
    var done = 0
    try progress(done)
    try forEachEntry { sample, split in
      let loaded = try reader.read(sample, split: split)
      statistics.count(loaded)
      for exporter in exporters { try exporter.add(loaded) }
      done += 1
      try progress(done)
    }
    for exporter in exporters { try exporter.finish() }
    let card = DatasetCard(
      plan: plan, statistics: statistics, sections: exporters.map(\.cardSection),
      hubConfiguration: .chosen(of: exporters.compactMap(\.hubConfiguration)))
    try folder.write(Array(card.text.utf8), at: DatasetCard.name)
    try folder.write(Array(card.licenceNote.utf8), at: DatasetCard.licenceName)
    try writeClasses(to: folder)
    try folder.write(Array(plan.configuration.canonicalText.utf8), at: RunLayout.configurationFile)
    return try finishManifest(folder, notes: exporters.flatMap(\.notes))
  }

  /// Calls `body` with every sample of the plan.
  private func forEachEntry(_ body: (RunContents.Sample, DatasetSplit) throws -> Void) throws {
    var position = 0
    for shard in run.shards {
      guard position < plan.entries.count, plan.entries[position].index < shard.indices.upperBound
      else { continue }
      for sample in try run.samples(of: shard)
      where position < plan.entries.count && sample.record.index == plan.entries[position].index {
        let split = plan.entries[position].split
        position += 1
        try body(sample, split)
      }
    }
    guard position == plan.entries.count else {
      throw ExportError(.malformed, run.path, "the run changed while it was read; export it again")
    }
  }

  private func writeClasses(to folder: ExportFolder) throws {
    let table = try ClassTable(
      plan.categories.map {
        ClassTable.Entry(
          id: $0.id, name: $0.name, aliases: $0.aliases, colour: $0.colour, split: $0.split)
      })
    try folder.write(Array(table.tsv.utf8), at: RunLayout.classFile)
    let names = plan.categories.map { $0.name + "\n" }.joined()
    try folder.write(Array(names.utf8), at: "classes.txt")
  }

  private func finishManifest(_ folder: ExportFolder, notes: [String]) throws -> Summary {
    let counts = Dictionary(
      uniqueKeysWithValues: plan.options.shares.used.map { ($0, plan.count(of: $0)) })
    let file = try folder.open(ExportManifest.name)
    try folder.manifest.write(to: file, facts: facts(counts))
    try file.close()
    return Summary(
      samples: plan.entries.count, splits: counts, files: folder.manifest.count,
      bytes: folder.manifest.byteCount, notes: notes)
  }

  private func facts(_ counts: [DatasetSplit: Int]) -> [JSONValue.Member] {
    let options = plan.options
    return [
      .init("formats", .array(options.formats.map { .string($0.rawValue) })),
      .init("image_format", .string(options.imageFormat.rawValue)),
      .init("instances", .string(options.division.rawValue)),
      .init("jpeg_quality", .integer(Int64(options.jpegQuality))),
      .init("licence", .string(options.licence)),
      .init("run_sha256", .string(plan.configurationHash)),
      .init("samples", .integer(Int64(plan.entries.count))),
      .init(
        "splits",
        .object(
          DatasetSplit.allCases.compactMap { split in
            counts[split].map { .init(split.rawValue, .integer(Int64($0))) }
          })), .init("splits_wanted", .string(options.shares.description)),
    ]
  }
}
