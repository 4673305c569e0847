public import CanonicalJSON

/// The shape of an autoencoder, as `vae/config.json` gives it.
///
/// - Source: diffusers `AutoencoderKL`.
public struct AutoencoderConfiguration: Sendable, Equatable {
  /// Channels of an image.
  public var imageChannels: Int
  /// Channels of a decoded image.
  public var outputs: Int
  /// Channels of a latent.
  public var latentChannels: Int
  /// Channels at each level, from the image's own size down.
  public var widths: [Int]
  /// Residual blocks of each level of the encoder; the decoder has one more.
  public var blockCount: Int
  /// Groups of every group norm.
  public var groups: Int
  /// What latents are multiplied with before they are noised.
  public var scale: Float
  /// What is taken off latents before they are multiplied.
  public var shift: Float
  /// Whether a 1×1 convolution follows the encoder.
  public var hasQuantConvolution: Bool
  /// Whether a 1×1 convolution precedes the decoder.
  public var hasPostQuantConvolution: Bool
  /// Whether the middle blocks attend.
  public var attendsInTheMiddle: Bool

  /// Pixels along one side of a latent cell.
  public var pixelsPerCell: Int { 1 << (widths.count - 1) }

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - json: the parsed file.
  ///   - file: its name, for messages.
  /// - Throws: ``DiffusionError`` naming the key, the value found and those supported.
  public init(_ json: JSONValue, file: String) throws {
    let reader = try ConfigurationReader(json, file: file)
    try reader.require("_class_name", "AutoencoderKL")
    let limit = 1 << 16
    imageChannels = try reader.integer("in_channels", default: 3, in: 1...limit)
    outputs = try reader.integer("out_channels", default: 3, in: 1...limit)
    latentChannels = try reader.integer("latent_channels", default: 4, in: 1...limit)
    widths = try reader.integers("block_out_channels", default: [64], in: 1...limit)
    guard (1...8).contains(widths.count) else {
      throw DiffusionError(
        .malformed, file, key: "block_out_channels", "found \(widths.count) levels, expected 1...8")
    }
    blockCount = try reader.integer("layers_per_block", default: 1, in: 1...64)
    groups = try reader.integer("norm_num_groups", default: 32, in: 1...limit)
    let groups = groups
    if let width = widths.first(where: { $0 % groups != 0 }) {
      throw DiffusionError(
        .malformed, file, key: "norm_num_groups",
        "found \(groups), which does not divide the \(width) channels of a level")
    }
    scale = Float(try reader.number("scaling_factor", default: 0.18215, in: 1e-6...1e6))
    shift = Float(try reader.number("shift_factor", default: 0, in: -1e6...1e6))
    hasQuantConvolution = try reader.flag("use_quant_conv", default: true)
    hasPostQuantConvolution = try reader.flag("use_post_quant_conv", default: true)
    attendsInTheMiddle = try reader.flag("mid_block_add_attention", default: true)
    for (key, type) in [
      ("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D"),
    ] {
      let types = try reader.strings(key, default: [type])
      if let other = types.first(where: { $0 != type }) {
        throw DiffusionError(
          .unsupported, file, key: key, "found \"\(other)\", supported: \"\(type)\"")
      }
      guard types.count == widths.count else {
        throw DiffusionError(
          .malformed, file, key: key,
          "found \(types.count) blocks, expected \(widths.count), as many as block_out_channels")
      }
    }
    try reader.require("act_fn", "silu", "swish")
    for key in ["latents_mean", "latents_std"] { try reader.require(key) }
  }
}
