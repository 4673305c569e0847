public import CanonicalJSON
public import Checkpoints

/// The sizes of a SED, as the shapes in its file tell them.
///
/// - Source: xb534/SED `configs/convnext{B,L}_768.yaml`.
public struct SEDConfiguration: Sendable, Equatable {
  /// The published sizes.
  public enum Variant: String, Sendable, CaseIterable {
    /// ConvNeXt-B and features of 640.
    case base = "SED-B"
    /// ConvNeXt-L and features of 768.
    case large = "SED-L"
  }

  /// One of the three stages of the decoder.
  public struct Stage: Sendable, Equatable {
    /// Channels of a class's map before the stage.
    public var inputs: Int
    /// Channels behind it, at twice the size.
    public var outputs: Int
    /// Channels of the picture's guidance and of the cost map's.
    public var guidance: Int
    /// Taps along a side of the spatial fusion's kernels.
    public var kernel: Int
  }

  static let stageCount = 3
  static let attentionHeads = 4
  static let channelsOfGroup = 16
  private static let mostWidth = 16_384
  private static let mostTaps = 31

  /// Channels of the trunk's four stages.
  public let trunkWidths: [Int]
  /// Blocks of the trunk's four stages.
  public let trunkDepths: [Int]
  /// Taps along a side of the trunk's depthwise kernels.
  public let trunkKernel: Int
  /// D, the width that pixels and sentences share.
  public let featureWidth: Int
  /// The width between the projection's two linear maps; nil where it is one linear map.
  public let projectionWidth: Int?
  /// P, the sentences that stand for a class.
  public let templates: Int
  /// Taps along a side of the kernels that embed the cost map.
  public let embeddingKernel: Int
  /// The decoder's stages.
  public let stages: [Stage]

  /// Which of the published models has these sizes; nil where none has.
  public var variant: Variant? {
    switch (trunkWidths, trunkDepths, featureWidth, projectionWidth == nil) {
    case ([128, 256, 512, 1024], [3, 3, 27, 3], 640, true): .base
    case ([192, 384, 768, 1536], [3, 3, 27, 3], 768, false): .large
    default: nil
    }
  }

  /// Channels of the last map, of which the final logits are made.
  var outputs: Int { stages[stages.count - 1].outputs }

  /// Tells the sizes.
  ///
  /// - Parameters:
  ///   - source: the file.
  ///   - prefix: what all keys begin with, with the dot.
  /// - Throws: `CheckpointError` where a tensor that tells a size is absent or has no such size.
  public init(_ source: any WeightSource, prefix: String) throws {
    let stored = StoredShapes(source: source, prefix: prefix)
    let stages = "clip_model.visual.trunk.stages."
    trunkDepths = try (0..<4).map { try stored.count("\(stages)\($0).blocks.") }
    trunkWidths = try (0..<4).map {
      try stored("\(stages)\($0).blocks.0.norm.weight", axes: 1, limit: Self.mostWidth)[0]
    }
    trunkKernel = try Self.taps("\(stages)0.blocks.0.conv_dw.weight", stored)
    let head = "clip_model.visual.head."
    if source.record(prefix + head + "mlp.fc2.weight") != nil {
      let last = try stored(head + "mlp.fc2.weight", axes: 2, limit: Self.mostWidth)
      (featureWidth, projectionWidth) = (last[0], last[1])
    } else {
      featureWidth = try stored(head + "proj.weight", axes: 2, limit: Self.mostWidth)[0]
      projectionWidth = nil
    }
    let decoder = "transformer."
    let embedding = try stored(decoder + "conv1.weight", axes: 4, limit: Self.mostWidth)
    templates = embedding[1]
    embeddingKernel = try Self.taps(decoder + "conv1.weight", stored)
    var inputs = embedding[0]
    self.stages = try (0..<Self.stageCount).map { index in
      let place = "\(decoder)decoder\(index + 1)."
      let fusion = place + "conv.double_conv.0.weight"
      let guidance = "\(decoder)decoder_guidance_projection.\(index).0.weight"
      let stage = Stage(
        inputs: inputs, outputs: try stored(fusion, axes: 4, limit: Self.mostWidth)[0],
        guidance: try stored(guidance, axes: 4, limit: Self.mostWidth)[0],
        kernel: try Self.taps(place + "cnext.dwconv.weight", stored))
      guard
        inputs > stage.guidance && inputs.isMultiple(of: Self.attentionHeads)
          && stage.outputs.isMultiple(of: Self.channelsOfGroup)
      else {
        throw CheckpointError(
          .wrongShape, file: source.name, key: prefix + fusion,
          "found \(inputs) channels before the stage, \(stage.guidance) of guidance and \(stage.outputs) behind it; "
            + "expected fewer of guidance, a multiple of \(Self.attentionHeads) before and of "
            + "\(Self.channelsOfGroup) behind")
      }
      inputs = stage.outputs
      return stage
    }
  }

  /// Taps along a side of a kernel, which must be odd.
  private static func taps(_ key: String, _ stored: StoredShapes) throws -> Int {
    let taps = try stored(key, axes: 4, limit: mostWidth)[3]
    guard taps % 2 == 1 && taps <= mostTaps else {
      throw CheckpointError(
        .wrongShape, file: stored.source.name, key: stored.prefix + key,
        "found kernels \(taps) wide, expected an odd number up to \(mostTaps)")
    }
    return taps
  }

  /// The sizes for people and programs.
  public var json: JSONValue {
    func list(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .integer(Int64($0)) }) }
    return [
      "variant": variant.map { .string($0.rawValue) } ?? .null,
      "trunk_widths": list(trunkWidths), "trunk_depths": list(trunkDepths),
      "feature_width": .integer(Int64(featureWidth)), "templates": .integer(Int64(templates)),
      "decoder_widths": list(stages.map(\.inputs) + [outputs]),
      "decoder_kernels": list(stages.map(\.kernel)),
    ]
  }
}
