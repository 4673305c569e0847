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
  public var hasTextTower: Bool {
    source.record(textPrefix + "token_embedding.weight") != nil
  }

  private var textPrefix: String { prefix + "clip_pretrained." }

  /// Reads the image network.
  ///
  /// - Parameter head: how logits are smoothed; nil for a file without the weights of a head block.
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
    let tower = try CLIPTextTower(source, prefix: textPrefix, activation: .quickGELU)
    guard tower.shapes.featureWidth == configuration.featureWidth else {
      throw CheckpointError(
        .wrongShape, file: source.name, key: textPrefix + "text_projection",
        "texts have \(tower.shapes.featureWidth) values and pixels \(configuration.featureWidth); "
          + "they are not of one model")
    }
    return tower
  }

  /// What the file is and what does not fit; no weight is read.
  ///
  /// - Throws: `CheckpointError` where the text tower is there and its sizes cannot be told.
  public func report() throws -> SegmenterReport {
    SegmenterReport(
      architecture: .lseg, configuration: configuration.json,
      parameters: source.parameterCount, types: source.typeCounts,
      audit: try audit(isWithText: hasTextTower), skipped: skipped,
      notices: hasTextTower
        ? [] : ["no text tower: words cannot be encoded with this file alone"])
  }

  private func audit(isWithText: Bool) throws -> WeightReport {
    let audit = WeightAudit(source)
    // The kind of head block changes nothing in what is asked for.
    _ = try LSeg(
      scope(audit.scope), configuration,
      head: configuration.hasHeadBlock ? LSegHead(.depthwise) : .none)
    if isWithText { try CLIPTextTowerShapes(source, prefix: textPrefix).ask(audit.scope) }
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
    guard key.hasPrefix(textPrefix) else { return true }
    let name = String(key.dropFirst(textPrefix.count))
    return CLIPTowerKeys.names(name).isEmpty && name != "text_projection"
  }

  /// Keys that training stores and inference does not need.
  private static func isSkipped(_ key: String, behind prefix: String) -> Bool {
    guard key.hasPrefix(prefix) else { return false }
    let name = key.dropFirst(prefix.count)
    let starts = [
      "clip_pretrained.visual.", "clip_pretrained.logit_scale", "pretrained.model.norm.",
      "pretrained.model.head.", "scratch.refinenet4.resConfUnit1.", "logit_scale",
    ]
    return starts.contains(where: name.hasPrefix) || name.hasSuffix(".num_batches_tracked")
  }
}
