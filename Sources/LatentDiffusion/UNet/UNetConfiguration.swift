public import CanonicalJSON

/// The shape of a U-Net, as `unet/config.json` gives it.
///
/// - Source: diffusers `UNet2DConditionModel`, the part that Stable Diffusion 1 and 2 use.
public struct UNetConfiguration: Sendable, Equatable {
  /// Height and width of the latents the model was trained on, in latent cells.
  public var sampleSize: Int
  /// Channels of the latents that come in.
  public var inputs: Int
  /// Channels of the prediction that goes out.
  public var outputs: Int
  /// Channels at each level, from the latents' own size down.
  public var widths: [Int]
  /// Whether the blocks of a level on the way down attend to the text.
  public var downAttention: [Bool]
  /// Whether the blocks of a level on the way up attend to the text, in the order they run (lowest first).
  public var upAttention: [Bool]
  /// Residual blocks of each level on the way down; the way up has one more.
  public var blockCounts: [Int]
  /// Attention heads at each level.
  ///
  /// The file calls them `attention_head_dim`, a misnomer that is kept for the sake of old models.
  public var headCounts: [Int]
  /// Transformer layers behind each residual block of a level.
  public var transformerCounts: [Int]
  /// Width of a text token.
  public var textWidth: Int
  /// Groups of every group norm.
  public var groups: Int
  /// ε of the residual blocks' group norms.
  public var epsilon: Float
  /// Width of the timestep's embedding.
  public var timeWidth: Int
  /// Whether cosines come before sines in the timestep's sinusoids.
  public var cosinesFirst: Bool
  /// See ``NeuralLayers/TimestepEmbedding/Sinusoids/frequencyShift``.
  public var frequencyShift: Float
  /// Whether latents in [0, 1] are moved to [−1, 1] first.
  public var centersInput: Bool
  /// Zeros around a map before it is halved; 0 means one row below and one column on the right.
  public var downsamplePadding: Int

  /// The number of levels.
  public var levelCount: Int { widths.count }

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - json: the parsed file.
  ///   - file: its name, for messages.
  /// - Throws: ``DiffusionError`` naming the key, the value found and those supported.
  public init(_ json: JSONValue, file: String) throws {
    let reader = try ConfigurationReader(json, file: file)
    try reader.require("_class_name", "UNet2DConditionModel")
    sampleSize = try Self.sampleSize(reader)
    inputs = try reader.integer("in_channels", default: 4, in: 1...Self.widthLimit)
    outputs = try reader.integer("out_channels", default: 4, in: 1...Self.widthLimit)
    widths = try reader.integers(
      "block_out_channels", default: [320, 640, 1280, 1280], in: 1...Self.widthLimit)
    let levels = widths.count
    guard levels >= 1, levels <= Self.levelLimit else {
      throw DiffusionError(
        .malformed, file, key: "block_out_channels",
        "found \(levels) levels, expected 1...\(Self.levelLimit)")
    }
    downAttention = try Self.attention(
      reader, "down_block_types", plain: "DownBlock2D", attending: "CrossAttnDownBlock2D",
      levels: levels,
      default: Array(repeating: "CrossAttnDownBlock2D", count: 3) + ["DownBlock2D"])
    upAttention = try Self.attention(
      reader, "up_block_types", plain: "UpBlock2D", attending: "CrossAttnUpBlock2D",
      levels: levels, default: ["UpBlock2D"] + Array(repeating: "CrossAttnUpBlock2D", count: 3))
    blockCounts = try reader.integersOrOne(
      "layers_per_block", default: 2, count: levels, in: 1...Self.depthLimit)
    headCounts = try Self.headCounts(reader, widths: widths)
    transformerCounts = try reader.integersOrOne(
      "transformer_layers_per_block", default: 1, count: levels, in: 1...Self.depthLimit)
    let textWidths = try reader.integersOrOne(
      "cross_attention_dim", default: 1280, count: levels, in: 1...Self.widthLimit)
    textWidth = textWidths[0]
    guard textWidths.allSatisfy({ $0 == textWidths[0] }) else {
      throw DiffusionError(
        .unsupported, file, key: "cross_attention_dim",
        "found \(textWidths), supported: the same width at every level")
    }
    groups = try reader.integer("norm_num_groups", default: 32, in: 1...Self.widthLimit)
    let groups = groups
    if let width = widths.first(where: { $0 % groups != 0 }) {
      throw DiffusionError(
        .malformed, file, key: "norm_num_groups",
        "found \(groups), which does not divide the \(width) channels of a level")
    }
    epsilon = Float(try reader.number("norm_eps", default: 1e-5, in: 1e-12...1))
    timeWidth = try reader.integer(
      "time_embedding_dim", default: 4 * widths[0], in: 1...Self.widthLimit)
    cosinesFirst = try reader.flag("flip_sin_to_cos", default: true)
    frequencyShift = Float(try reader.number("freq_shift", default: 0, in: -1...1))
    if Float(widths[0] / 2) - frequencyShift <= 0 {
      throw DiffusionError(
        .malformed, file, key: "freq_shift",
        "found \(frequencyShift), too large for \(widths[0]) channels")
    }
    centersInput = try reader.flag("center_input_sample", default: false)
    downsamplePadding = try reader.integer("downsample_padding", default: 1, in: 0...1)
    try Self.refuseTheRest(reader)
  }

  /// Wider models do not exist; the limit keeps every product of sizes far inside 64 bits.
  private static let widthLimit = 1 << 16
  /// More levels would shrink any image to nothing.
  private static let levelLimit = 8
  private static let depthLimit = 64

  private static func sampleSize(_ reader: ConfigurationReader) throws -> Int {
    guard let elements = reader.value("sample_size")?.elements else {
      return try reader.integer("sample_size", default: 64, in: 1...widthLimit)
    }
    let sides = try reader.integers("sample_size", count: 2, in: 1...widthLimit)
    guard sides[0] == sides[1] else {
      throw reader.fault("sample_size", .array(elements), "two equal sides")
    }
    return sides[0]
  }

  private static func attention(
    _ reader: ConfigurationReader, _ key: String, plain: String, attending: String, levels: Int,
    default standard: [String]
  ) throws -> [Bool] {
    let types = try reader.strings(key, default: standard)
    guard types.count == levels else {
      throw DiffusionError(
        .malformed, reader.file, key: key,
        "found \(types.count) blocks, expected \(levels), as many as block_out_channels")
    }
    return try types.map { type in
      guard type == plain || type == attending else {
        throw DiffusionError(
          .unsupported, reader.file, key: key,
          "found \"\(type)\", supported: \"\(plain)\" or \"\(attending)\"")
      }
      return type == attending
    }
  }

  private static func headCounts(_ reader: ConfigurationReader, widths: [Int]) throws -> [Int] {
    let key =
      reader.value("num_attention_heads") == nil ? "attention_head_dim" : "num_attention_heads"
    let counts = try reader.integersOrOne(
      key, default: 8, count: widths.count, in: 1...widthLimit)
    for (width, heads) in zip(widths, counts) where width % heads != 0 {
      throw DiffusionError(
        .malformed, reader.file, key: key,
        "found \(heads) heads, which do not divide the \(width) channels of their level")
    }
    return counts
  }

  private static func refuseTheRest(_ reader: ConfigurationReader) throws {
    try reader.require("mid_block_type", "UNetMidBlock2DCrossAttn")
    if reader.json["mid_block_type"]?.isNull == true {
      throw DiffusionError(
        .unsupported, reader.file, key: "mid_block_type",
        "found null, supported: \"UNetMidBlock2DCrossAttn\"")
    }
    try reader.require("act_fn", "silu", "swish")
    try reader.require("resnet_time_scale_shift", "default")
    try reader.require("time_embedding_type", "positional")
    try reader.require("attention_type", "default")
    for key in [
      "only_cross_attention", "mid_block_only_cross_attention", "dual_cross_attention",
      "resnet_skip_time_act", "class_embeddings_concat",
    ] {
      if let elements = reader.value(key)?.elements, elements.allSatisfy({ $0 == false }) {
        continue
      }
      try reader.require(key, false)
    }
    for key in ["mid_block_scale_factor", "resnet_out_scale_factor"] {
      try reader.require(key, 1)
    }
    for key in ["conv_in_kernel", "conv_out_kernel"] { try reader.require(key, 3) }
    for key in [
      "class_embed_type", "num_class_embeds", "addition_embed_type", "addition_time_embed_dim",
      "encoder_hid_dim", "encoder_hid_dim_type", "projection_class_embeddings_input_dim",
      "time_cond_proj_dim", "time_embedding_act_fn", "timestep_post_act", "cross_attention_norm",
      "reverse_transformer_layers_per_block",
    ] {
      try reader.require(key)
    }
  }
}
