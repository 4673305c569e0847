import CanonicalJSON
import Checkpoints
public import TensorCore

/// A file of a grounding module: ours, which says what it is, or a published checkpoint, which is told by its keys.
public struct GroundingWeights: Sendable {
  /// The file.
  public let path: String
  /// The module's shape.
  public let configuration: GroundingConfiguration
  /// Whether it is a checkpoint as published.
  public let isPublished: Bool
  private let source: any WeightSource
  private let scope: WeightScope

  /// Opens a safetensors file or a PyTorch checkpoint and says what it is; weights are read by ``module()``.
  ///
  /// - Throws: `CheckpointError` where it is neither, or no grounding module.
  public init(path: String) throws {
    let source = try WeightFile.open(path)
    let root = WeightScope(source)
    // Training on several GPUs wraps the module once more.
    let wrapped = root.firstPresent(["module.\(GroundingNames.publishedDecoder)"]) != nil
    self.path = path
    self.source = source
    scope = wrapped ? root / "module" : root
    if let text = (source as? SafetensorsFile)?.metadata[GroundingConfiguration.metadataKey] {
      configuration = try GroundingConfiguration(json: text, file: path)
      isPublished = false
    } else if scope.firstPresent([GroundingNames.publishedDecoder]) != nil {
      configuration = .published
      isPublished = true
    } else {
      throw CheckpointError(
        .unsupported, file: path,
        "is no grounding module: neither the metadata \(GroundingConfiguration.metadataKey) nor the keys "
          + "\(GroundingNames.publishedDecoder).* of the published one are in it")
    }
  }

  /// Loads the module.
  ///
  /// - Throws: `CheckpointError` with the full key of what is missing, misshapen or left over.
  public func module() throws -> GroundingModule { try GroundingModule(scope, configuration) }

  /// The module's tensors by key, as ``write(_:_:to:storedAs:)`` takes them: to train on.
  ///
  /// - Throws: `CheckpointError` with the full key of what is missing, misshapen, not finite or left over.
  public func tensors() throws -> [String: Tensor] {
    _ = try module()
    let prefix = scope.path.isEmpty ? "" : scope.path + "."
    return try source.keys.reduce(into: [:]) { tensors, key in
      guard key.hasPrefix(prefix), source.record(key)?.type.isComputable == true else { return }
      tensors[String(key.dropFirst(prefix.count))] = try source.tensor(key)
    }
  }

  /// Writes a module's file; the same bytes for the same content.
  ///
  /// - Parameters:
  ///   - tensors: by key, as ``GroundingModule`` asks for them.
  ///   - configuration: the module's shape.
  ///   - path: of the file, which is replaced whole.
  ///   - type: how weights are stored; buffers, which are small and may be large numbers, always as they are.
  /// - Throws: `CheckpointError` where the tensors do not make such a module, or the file cannot be written.
  public static func write(
    _ tensors: [String: Tensor], _ configuration: GroundingConfiguration, to path: String,
    storedAs type: ElementType = .float32
  ) throws {
    let audit = WeightAudit(DictionarySource(tensors, name: path))
    _ = try GroundingModule(audit.scope, configuration)
    let report = audit.report
    if let finding = (report.missing + report.misshapen + report.unexpected).first {
      throw CheckpointError(
        .wrongShape, file: path, key: finding.key,
        "found \(finding.found.map { "shape \($0.shape)" } ?? "nothing"), expected "
          + (finding.expected.map { "shape \($0)" } ?? "nothing") + " in this grounding module")
    }
    var writer = SafetensorsWriter(
      metadata: [GroundingConfiguration.metadataKey: configuration.json.canonicalText])
    for (key, tensor) in tensors {
      writer.add(key, tensor, as: GroundingModule.isBuffer(key) ? .float32 : type)
    }
    try writer.write(to: path)
  }

  /// Weights to begin training from: normal draws of variance 1 / inputs (2 / inputs before a ReLU on maps), biases 0,
  /// norms 1.
  ///
  /// - Parameters:
  ///   - configuration: the module's shape.
  ///   - seed: the same one gives the same weights.
  /// - Returns: the tensors by key.
  /// - Throws: `CheckpointError` where the configuration implies tensors beyond all measure.
  public static func random(
    _ configuration: GroundingConfiguration, seed: UInt64
  ) throws -> [String: Tensor] {
    let audit = WeightAudit(DictionarySource([:], name: "a new grounding module"))
    _ = try GroundingModule(audit.scope, configuration)
    let streams = RandomStreams(seed: seed)
    var tensors: [String: Tensor] = [:]
    for (index, finding) in audit.report.missing.enumerated() {
      let shape = finding.expected ?? []
      let normals = { (scale: Double) in
        Float(scale) * streams.normals(stream: UInt64(index), shape: shape)
      }
      let inputs = shape.dropFirst().reduce(1, *)
      tensors[finding.key] =
        switch shape.count {
        case 4: normals((2 / Double(inputs)).squareRoot())
        case 2: normals((1 / Double(inputs)).squareRoot())
        default:
          Tensor(
            repeating: finding.key.hasSuffix("weight") || finding.key.hasSuffix("var") ? 1 : 0,
            shape: shape)
        }
    }
    return tensors
  }
}
