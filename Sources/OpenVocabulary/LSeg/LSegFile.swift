public import Checkpoints
import TextConditioning

/// A checkpoint of LSeg: a file of its training (Lightning `.ckpt`) or a safetensors file with the same keys, with or
/// without `net.` before them.
public struct LSegFile: Sendable {
  /// The tensors.
  public let source: any WeightSource
  /// The network's sizes.
  public let configuration: LSegConfiguration
  /// Keys that are known and have no effect on any output, and what stands beside the tensors; sorted.
  public let skipped: [String]
  private let prefix: String

  /// Opens a file.
  ///
  /// - Throws: `CheckpointError` where it is broken, no LSeg, or one of unknown sizes.
  public init(path: String) throws { try self.init(WeightFile.open(path)) }

  /// Takes a file that is open.
  ///
  /// - Throws: `CheckpointError` where it is no LSeg, or one of unknown sizes.
  public init(_ source: any WeightSource) throws {
    try SegmenterFile.check(source, is: .lseg)
    prefix = source.keys.contains { $0.hasPrefix("net.scratch.") } ? "net." : ""
    configuration = try LSegConfiguration(source, prefix: prefix)
    let place = prefix
    let beside = (source as? PickleFile)?.passedOver ?? []
    skipped =
      (source.keys.filter { Self.isSkipped($0, behind: place) } + beside).sorted()
    self.source = source
  }

  /// Whether words can be encoded with the file: some hold the image network alone.
  public var hasTextTower: Bool { text.isThere }

  private var text: TextTowerPlace {
    TextTowerPlace(source: source, prefix: prefix + "clip_pretrained.", activation: .quickGELU)
  }

  /// Reads the image network.
  ///
  /// - Parameter head: how logits are smoothed; nil for a file without the weights of a head block.
  /// - Returns: the network, which holds the head's weights and the encoder's, not the text tower's.
  /// - Throws: `CheckpointError` naming the keys that are missing, misshapen or have no place; where a head is asked for
  ///   that the file has no weights for, and where the file has some and does not say of which kind.
  public func network(head: LSegHead? = nil) throws -> LSeg {
    if head == nil, configuration.hasHeadBlock {
      throw CheckpointError(
        .unsupported, file: source.name, key: prefix + LSegHeadBlock.place + ".weight",
        "the file has a head block and does not say of which kind; name bottleneck or depthwise, its depth and its "
          + "activation, or none")
    }
    let weights = WeightScope(source)
    do {
      let network = try LSeg(scope(weights), configuration, head: head ?? .none)
      if let stray = weights.unusedKeys.first(where: { isUnexpected($0) }) {
        throw CheckpointError(
          .unusedTensors, file: source.name, key: stray,
          "this tensor has no place in LSeg with \(configuration.backbone.rawValue)")
      }
      return network
    } catch let error as CheckpointError
      where error.code == .missingTensor || error.code == .wrongShape
    {
      throw try SegmenterFile.refusal(audit(isWithText: false), of: "LSeg", source) ?? error
    }
  }

  /// A network of this file with another head; nothing else is read.
  ///
  /// - Throws: `CheckpointError` where the file lacks the head's weights.
  public func network(_ network: LSeg, head: LSegHead) throws -> LSeg {
    try network.with(head, scope(WeightScope(source)))
  }

  /// Reads the text tower.
  ///
  /// - Throws: `CheckpointError` naming the keys that are missing or misshapen.
  public func textTower() throws -> CLIPTextTower {
    try text.tower(featureWidth: configuration.featureWidth)
  }

  /// What the file is and what does not fit; no weight is read.
  ///
  /// - Throws: `CheckpointError` where the text tower is there and its sizes cannot be told.
  public func report() throws -> SegmenterReport {
    SegmenterReport(
      architecture: .lseg, configuration: configuration.json,
      parameters: source.parameterCount, types: source.typeCounts,
      audit: try audit(isWithText: true), skipped: skipped,
      notices: text.notices)
  }

  private func audit(isWithText: Bool) throws -> WeightReport {
    let audit = WeightAudit(source)
    // The kind of head block changes nothing in what is asked for.
    _ = try LSeg(
      scope(audit.scope), configuration,
      head: configuration.hasHeadBlock ? LSegHead(.depthwise) : .none)
    if isWithText { try text.ask(audit.scope) }
    var report = audit.report
    report.unexpected.removeAll { !isUnexpected($0.key) }
    return report
  }

  private func scope(_ root: WeightScope) -> WeightScope { prefix.isEmpty ? root : root / "net" }

  /// Whether a key that nobody asked for is a fault; the text tower's are asked for elsewhere.
  private func isUnexpected(_ key: String) -> Bool {
    if Self.isSkipped(key, behind: prefix) || key.hasPrefix(prefix + LSegHeadBlock.place) {
      return false
    }
    return !text.holds(key)
  }

  /// Keys that training stores and inference does not need, and all that is no part of the network.
  private static func isSkipped(_ key: String, behind prefix: String) -> Bool {
    let parts = ["pretrained.", "scratch.", "clip_pretrained."]
    guard key.hasPrefix(prefix), parts.contains(where: key.dropFirst(prefix.count).hasPrefix)
    else { return true }
    let name = key.dropFirst(prefix.count)
    let starts = [
      "clip_pretrained.visual.", "clip_pretrained.logit_scale", "pretrained.model.norm.",
      "pretrained.model.head.", "scratch.refinenet4.resConfUnit1.",
    ]
    return starts.contains(where: name.hasPrefix) || name.hasSuffix(".num_batches_tracked")
  }
}
