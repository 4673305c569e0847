import CanonicalJSON
import Checkpoints

/// The configurations of a single file's parts, from the names and shapes of its tensors.
///
/// What shapes do not tell is what every published model of the kind has: 8 attention heads a level in the denoiser of
/// Stable Diffusion 1 and heads 64 wide in that of 2, text heads 64 wide, group norms of 32 groups.
///
/// - Source: `v1-inference.yaml` and `v2-inference.yaml` of the original repositories.
struct SingleFileShapes {
  private static let groups = 32
  private static let headWidth = 64
  private static let firstHeadCount = 8
  private static let scalingFactor = 0.18215
  private static let publishedWidths = [320, 640, 1280, 1280]
  /// More levels, blocks or layers than any model has.
  private static let countLimit = 256

  /// The denoiser.
  let unet: RenamedWeights
  /// The autoencoder.
  let vae: RenamedWeights
  /// The text encoder.
  let textEncoder: RenamedWeights
  /// Which text encoder it is.
  let tower: OriginalTextKeys.Tower

  /// Whether the denoiser's projections are linear maps, as in Stable Diffusion 2, rather than convolutions.
  func hasLinearProjections() throws -> Bool {
    try shape(unet, "mid_block.attentions.0.proj_in.weight", 2...4).count == 2
  }

  /// The width of a text token.
  func textWidth() throws -> Int {
    try shape(unet, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", 2...2)[1]
  }

  /// Whether the sizes are those of the published models, whose head counts are known.
  func isPublished() throws -> Bool {
    let text = tower == .clip ? 768 : 1024
    return try widths() == Self.publishedWidths && textWidth() == text
  }

  private func widths() throws -> [Int] {
    try (0..<count(unet) { "down_blocks.\($0).resnets.0.conv1.weight" }).map { level in
      try shape(unet, "down_blocks.\(level).resnets.0.conv1.weight", 4...4)[0]
    }
  }

  /// The denoiser's configuration.
  ///
  /// - Parameter sampleSize: the usual side of latents; nil where it is not known.
  /// - Returns: an object as diffusers' `unet/config.json`.
  /// - Throws: `CheckpointError` where a tensor that tells a size is missing or of another rank, and
  ///   ``GenerationError`` where shapes do not tell what they usually do.
  func unetConfiguration(sampleSize: Int?) throws -> JSONValue {
    let widths = try widths()
    try checkGroups(widths, unet)
    let levels = widths.indices
    let down = levels.map { has(unet, "down_blocks.\($0).attentions.0.norm.weight") }
    let up = levels.map { has(unet, "up_blocks.\($0).attentions.0.norm.weight") }
    let blocks = levels.map { level in
      count(unet) { "down_blocks.\(level).resnets.\($0).conv1.weight" }
    }
    let depth = count(unet) { "mid_block.attentions.0.transformer_blocks.\($0).norm1.weight" }
    let isLinear = try hasLinearProjections()
    let heads: JSONValue
    if isLinear {
      if let width = widths.first(where: { $0 % Self.headWidth != 0 }) {
        throw unknown(unet, "\(width) channels do not divide into heads \(Self.headWidth) wide")
      }
      heads = list(widths.map { $0 / Self.headWidth })
    } else {
      if let width = widths.first(where: { $0 % Self.firstHeadCount != 0 }) {
        throw unknown(unet, "\(width) channels do not divide into \(Self.firstHeadCount) heads")
      }
      heads = number(Self.firstHeadCount)
    }
    let input = try shape(unet, "conv_in.weight", 4...4)
    let size = sampleSize.map { [JSONValue.Member("sample_size", number($0))] } ?? []
    return .object(
      [
        .init("_class_name", "UNet2DConditionModel"), .init("in_channels", number(input[1])),
        .init("out_channels", number(try shape(unet, "conv_out.weight", 4...4)[0])),
        .init("block_out_channels", list(widths)),
        .init(
          "down_block_types",
          .array(down.map { $0 ? "CrossAttnDownBlock2D" : "DownBlock2D" })),
        .init("up_block_types", .array(up.map { $0 ? "CrossAttnUpBlock2D" : "UpBlock2D" })),
        .init("layers_per_block", Set(blocks).count == 1 ? number(blocks[0]) : list(blocks)),
        .init("attention_head_dim", heads), .init("transformer_layers_per_block", number(depth)),
        .init("cross_attention_dim", number(try textWidth())),
        .init("use_linear_projection", .bool(isLinear)),
        .init("norm_num_groups", number(Self.groups)), .init("norm_eps", 1e-5),
        .init(
          "time_embedding_dim",
          number(try shape(unet, "time_embedding.linear_1.weight", 2...2)[0])),
      ] + size)
  }

  /// The autoencoder's configuration.
  ///
  /// - Returns: an object as diffusers' `vae/config.json`.
  /// - Throws: as ``unetConfiguration(sampleSize:)``.
  func autoencoderConfiguration() throws -> JSONValue {
    let levels = count(vae) { "encoder.down_blocks.\($0).resnets.0.conv1.weight" }
    let widths = try (0..<levels).map { level in
      try shape(vae, "encoder.down_blocks.\(level).resnets.0.conv1.weight", 4...4)[0]
    }
    try checkGroups(widths, vae)
    return [
      "_class_name": "AutoencoderKL",
      "in_channels": number(try shape(vae, "encoder.conv_in.weight", 4...4)[1]),
      "out_channels": number(try shape(vae, "decoder.conv_out.weight", 4...4)[0]),
      "latent_channels": number(try shape(vae, "decoder.conv_in.weight", 4...4)[1]),
      "block_out_channels": list(widths),
      "down_block_types": .array(widths.map { _ in "DownEncoderBlock2D" }),
      "up_block_types": .array(widths.map { _ in "UpDecoderBlock2D" }),
      "layers_per_block": number(
        count(vae) { "encoder.down_blocks.0.resnets.\($0).conv1.weight" }),
      "norm_num_groups": number(Self.groups), "scaling_factor": .number(Self.scalingFactor),
      "use_quant_conv": .bool(has(vae, "quant_conv.weight")),
      "use_post_quant_conv": .bool(has(vae, "post_quant_conv.weight")),
      "mid_block_add_attention": .bool(
        has(vae, "decoder.mid_block.attentions.0.group_norm.weight")),
    ]
  }

  /// The text encoder's configuration.
  ///
  /// - Returns: an object as transformers' `text_encoder/config.json`.
  /// - Throws: as ``unetConfiguration(sampleSize:)``.
  func textConfiguration() throws -> JSONValue {
    let root = "text_model."
    let table = try shape(textEncoder, root + "embeddings.token_embedding.weight", 2...2)
    let places = try shape(textEncoder, root + "embeddings.position_embedding.weight", 2...2)
    let inner = try shape(textEncoder, root + "encoder.layers.0.mlp.fc1.weight", 2...2)[0]
    guard table[1] % Self.headWidth == 0 else {
      throw unknown(
        textEncoder,
        "a text width of \(table[1]) does not divide into heads \(Self.headWidth) wide")
    }
    return [
      "hidden_size": number(table[1]), "intermediate_size": number(inner),
      "num_hidden_layers": number(
        count(textEncoder) { "\(root)encoder.layers.\($0).layer_norm1.weight" }),
      "num_attention_heads": number(table[1] / Self.headWidth), "vocab_size": number(table[0]),
      "max_position_embeddings": number(places[0]),
      "hidden_act": tower == .clip ? "quick_gelu" : "gelu", "layer_norm_eps": 1e-5,
    ]
  }

  private func checkGroups(_ widths: [Int], _ part: RenamedWeights) throws {
    guard let width = widths.first(where: { $0 % Self.groups != 0 }) else { return }
    throw unknown(part, "\(width) channels do not divide into \(Self.groups) groups")
  }

  /// A file whose shapes do not tell what they do for every published model.
  private func unknown(_ part: RenamedWeights, _ what: String) -> GenerationError {
    GenerationError(
      .usage, part.name,
      "\(what), as in every published model; give --model-config, the diffusers folder with its configurations"
    )
  }

  private func has(_ part: RenamedWeights, _ key: String) -> Bool { part.record(key) != nil }

  /// How many of numbered keys there are, one after another from 0.
  private func count(_ part: RenamedWeights, _ key: (Int) -> String) -> Int {
    (0..<Self.countLimit).prefix { has(part, key($0)) }.count
  }

  private func shape(
    _ part: RenamedWeights, _ key: String, _ ranks: ClosedRange<Int>
  ) throws -> [Int] {
    guard let shape = part.record(key)?.shape else {
      throw CheckpointError(
        .missingTensor, file: part.name, key: key,
        "the tensor is missing, from which a size is read")
    }
    guard ranks.contains(shape.count), !shape.contains(0) else {
      throw CheckpointError(
        .wrongShape, file: part.name, key: part.storedKey(key),
        "found shape \(shape), expected \(ranks.lowerBound) axes of at least one element")
    }
    return shape
  }

  private func number(_ value: Int) -> JSONValue { .integer(Int64(value)) }

  private func list(_ values: [Int]) -> JSONValue { .array(values.map(number)) }
}
