public import CanonicalJSON
public import DatasetFormat
import Imaging

/// What every layout of an export agrees on: which samples, in which split, with which categories.
///
/// A sample takes 16 bytes here; records, pictures and masks are read again when they are written.
public struct ExportPlan: Sendable {
  /// A sample to export.
  public struct Entry: Sendable, Equatable {
    /// Its number in the run.
    public let index: Int
    /// Its split.
    public let split: DatasetSplit
  }

  /// The settings.
  public let options: ExportOptions
  /// The samples by ascending index.
  public let entries: [Entry]
  /// The categories by ascending number.
  public let categories: [ExportCategory]
  /// What run.json says.
  public let configuration: JSONValue
  /// The SHA-256 of run.json.
  public let configurationHash: String
  /// The rules that `filter` put in place of the run's own; nil where it did not.
  public let appliedRules: JSONValue?
  /// What the run holds and what is left out.
  public let census: RunCensus

  /// Chooses and divides the samples of a run: those that are accepted and have a mask.
  ///
  /// - Parameters:
  ///   - run: the run; its records are read once, shard by shard.
  ///   - options: the settings.
  /// - Throws: ``ExportError`` `malformed` where there is nothing to export, `DatasetError` where the run cannot be
  ///   read.
  public init(_ run: RunContents, options: ExportOptions) throws {
    self.options = options
    categories = ExportCategory.numbered(run.classes)
    configuration = run.configuration
    configurationHash = run.configurationHash
    appliedRules = run.appliedRules?.json
    var groups = PromptGroups(seed: run.configuration["seed"]?.string ?? "")
    var census = RunCensus(missingShards: run.missingShards.count)
    try run.forEachSample { sample in
      census.count(sample.record)
      if sample.isAccepted && sample.record.hasMask { groups.add(sample.record) }
    }
    try census.check(path: run.path)
    guard !categories.isEmpty else {
      throw ExportError(
        .malformed, "\(run.path)/\(RunLayout.classFile)",
        "holds no class, so masks have nothing to show; make the run with a vocabulary or entities")
    }
    self.census = census
    entries = groups.entries(shares: options.shares)
  }

  /// How many samples a split has.
  public func count(of split: DatasetSplit) -> Int { entries.count { $0.split == split } }

  /// How many bits a mask's categories take where the layout leaves the choice.
  var maskDepth: LabelMask.Depth { LabelMask.Depth(highestID: categories.count) }

  /// Whether the masks of a sample have this category or the ids around it: the number by the run's class id.
  var categoryOfClass: [UInt16: UInt16] {
    Dictionary(
      uniqueKeysWithValues: categories.map { (UInt16($0.classID), UInt16($0.id)) })
  }
}
