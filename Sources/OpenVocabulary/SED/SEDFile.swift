public import Checkpoints
import TextConditioning

/// A checkpoint of SED: a `.pth` file of its training (detectron2) or a safetensors file with the same keys, with or without
/// `sem_seg_head.predictor.` before them.
public struct SEDFile: Sendable {
  /// The tensors.
  public let source: any WeightSource
  /// The network's sizes.
  public let configuration: SEDConfiguration
  /// Keys that are known and have no effect on any output, and what stands beside the tensors; sorted.
  public let skipped: [String]
  private let prefix: String

  static let predictor = "sem_seg_head.predictor."

  /// Opens a file.
  ///
  /// - Throws: `CheckpointError` where it is broken, no SED, or one of unknown sizes.
  public init(path: String) throws { try self.init(WeightFile.open(path)) }

  /// Takes a file that is open.
  ///
  /// - Throws: `CheckpointError` where it is no SED, or one of unknown sizes.
  public init(_ source: any WeightSource) throws {
    try SegmenterFile.check(source, is: .sed)
    prefix = source.keys.contains { $0.hasPrefix(Self.predictor) } ? Self.predictor : ""
    configuration = try SEDConfiguration(source, prefix: prefix)
    let place = prefix
    let beside = (source as? PickleFile)?.passedOver ?? []
    skipped = (source.keys.filter { Self.isSkipped($0, behind: place) } + beside).sorted()
    self.source = source
  }

  /// Whether words can be encoded with the file.
  public var hasTextTower: Bool { text.isThere }

  private var text: TextTowerPlace {
    TextTowerPlace(source: source, prefix: prefix + "clip_model.", activation: .gelu)
  }

  /// Reads the image network.
  ///
  /// - Throws: `CheckpointError` naming the keys that are missing, misshapen or have no place.
  public func network() throws -> SED {
    let weights = WeightScope(source)
    do {
      let network = try SED(scope(weights), configuration)
      if let stray = weights.unusedKeys.first(where: isUnexpected) {
        throw CheckpointError(
          .unusedTensors, file: source.name, key: stray, "this tensor has no place in SED")
      }
      return network
    } catch let error as CheckpointError
      where error.code == .missingTensor || error.code == .wrongShape
    {
      throw try SegmenterFile.refusal(audit(isWithText: false), of: "SED", source) ?? error
    }
  }

  /// Reads the text tower; it takes as much memory as the rest of the network.
  ///
  /// - Throws: `CheckpointError` naming the key that is missing or misshapen.
  public func textTower() throws -> CLIPTextTower {
    try text.tower(featureWidth: configuration.featureWidth)
  }

  /// What the file is and what does not fit; no weight is read.
  ///
  /// - Throws: `CheckpointError` where the text tower is there and its sizes cannot be told.
  public func report() throws -> SegmenterReport {
    SegmenterReport(
      architecture: .sed, configuration: configuration.json, parameters: source.parameterCount,
      types: source.typeCounts, audit: try audit(isWithText: true), skipped: skipped,
      notices: text.notices)
  }

  private func audit(isWithText: Bool) throws -> WeightReport {
    let audit = WeightAudit(source)
    _ = try SED(scope(audit.scope), configuration)
    if isWithText { try text.ask(audit.scope) }
    var report = audit.report
    report.unexpected = report.unexpected.filter { isUnexpected($0.key) }
    return report
  }

  private func scope(_ root: WeightScope) -> WeightScope {
    prefix.split(separator: ".").reduce(root) { $0 / String($1) }
  }

  /// Keys that are neither the image network's, once those are read, nor the text tower's, nor known to be dead.
  private func isUnexpected(_ key: String) -> Bool {
    guard !Self.isSkipped(key, behind: prefix) else { return false }
    return !text.holds(key)
  }

  /// Whether a key is known to have no effect: CLIP's scale of logits and its text tower's mask, buffers, the picture's
  /// normalisation, and whatever the file of a training holds beside the predictor.
  private static func isSkipped(_ key: String, behind prefix: String) -> Bool {
    guard key.hasPrefix(prefix) else { return true }
    let rest = key.dropFirst(prefix.count)
    return ["clip_model.logit_scale", "clip_model.attn_mask"].contains(String(rest))
      || rest.hasSuffix(".num_batches_tracked")
      || ["pixel_mean", "pixel_std", "clip_pixel_mean", "clip_pixel_std"].contains(String(rest))
  }
}
