public import CanonicalJSON
public import Checkpoints
public import TensorCore

/// What a file of a segmenter is, and which of its tensors do not fit.
public struct SegmenterReport: Sendable {
  /// Which network it is.
  public let architecture: SegmenterArchitecture
  /// What it is made of.
  public let configuration: JSONValue
  /// How many numbers the file holds.
  public let parameters: Int
  /// How many tensors are stored in each type.
  public let types: [ElementType: Int]
  /// What does not fit.
  public let audit: WeightReport
  /// Keys that are known and not needed, sorted.
  public let skipped: [String]
  /// What people should know, a line each.
  public let notices: [String]

  /// States what was found.
  init(
    architecture: SegmenterArchitecture, configuration: JSONValue, parameters: Int,
    types: [ElementType: Int], audit: WeightReport, skipped: [String], notices: [String]
  ) {
    self.architecture = architecture
    self.configuration = configuration
    (self.parameters, self.types) = (parameters, types)
    (self.audit, self.skipped, self.notices) = (audit, skipped, notices)
  }

  /// Looks at a file that is open; nil where it is no segmenter's.
  ///
  /// - Throws: `CheckpointError` where it is a segmenter's of unknown sizes.
  public init?(_ source: any WeightSource) throws {
    switch SegmenterFile.architecture(of: source) {
    case .lseg: self = try LSegFile(source).report()
    case .sed: self = try SEDFile(source).report()
    case nil: return nil
    }
  }
}
