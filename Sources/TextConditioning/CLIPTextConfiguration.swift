public import CanonicalJSON
import Checkpoints

/// The sizes of a CLIP text encoder, as `text_encoder/config.json` gives them.
public struct CLIPTextConfiguration: Sendable, Equatable {
  /// The activation between a layer's two linear maps.
  public enum Activation: String, Sendable, CaseIterable {
    /// x · sigmoid(1.702 x), Stable Diffusion 1.
    case quickGELU = "quick_gelu"
    /// x · Φ(x), Stable Diffusion 2.
    case gelu = "gelu"
  }

  /// D, the width of a token (`hidden_size`).
  public let width: Int
  /// The width between a layer's two linear maps (`intermediate_size`).
  public let innerWidth: Int
  /// The number of layers (`num_hidden_layers`).
  public let layerCount: Int
  /// The number of attention heads (`num_attention_heads`).
  public let headCount: Int
  /// V, the rows of the token table (`vocab_size`).
  public internal(set) var vocabularySize: Int
  /// The most tokens in a sequence (`max_position_embeddings`).
  public let positionCount: Int
  /// The activation (`hidden_act`).
  public let activation: Activation
  /// ε of every layer norm (`layer_norm_eps`).
  public let epsilon: Float

  /// States the sizes.
  ///
  /// - Precondition: `headCount` divides `width`.
  public init(
    width: Int, innerWidth: Int, layerCount: Int, headCount: Int, vocabularySize: Int,
    positionCount: Int, activation: Activation, epsilon: Float = 1e-5
  ) {
    precondition(
      width > 0 && headCount > 0 && width.isMultiple(of: headCount),
      "text encoder: width \(width) does not divide into \(headCount) heads")
    (self.width, self.innerWidth, self.layerCount) = (width, innerWidth, layerCount)
    (self.headCount, self.vocabularySize) = (headCount, vocabularySize)
    (self.positionCount, self.activation, self.epsilon) = (positionCount, activation, epsilon)
  }

  /// Reads a configuration file.
  ///
  /// - Throws: `CheckpointError` with file, key, what was found and what was expected.
  public init(file path: String) throws {
    try self.init(try ConfigurationFile(path).object(limit: 1 << 20), file: path)
  }

  /// Reads a configuration that is parsed already.
  ///
  /// The configuration of a whole CLIP, with the text's part under `text_config`, is refused: the weights
  /// beside it are another model's.
  ///
  /// - Throws: `CheckpointError` with file, key, what was found and what was expected.
  public init(_ json: JSONValue, file path: String) throws {
    let file = ConfigurationFile(path)
    if json["hidden_size"] == nil && json["text_config"] != nil {
      throw file.refusal(
        "text_config",
        "this is the configuration of a whole CLIP, expected a CLIPTextModel's with hidden_size")
    }
    func count(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
      guard let value = json[key]?.integer, range.contains(value) else {
        throw file.fault(
          key,
          "found \(shown(json[key])), expected a whole number in "
            + "\(range.lowerBound)...\(range.upperBound)")
      }
      return value
    }
    width = try count("hidden_size", 1...16_384)
    innerWidth = try count("intermediate_size", 1...65_536)
    layerCount = try count("num_hidden_layers", 1...256)
    headCount = try count("num_attention_heads", 1...256)
    vocabularySize = try count("vocab_size", 1...4_194_304)
    positionCount = try count("max_position_embeddings", 2...65_536)
    guard width.isMultiple(of: headCount) else {
      throw file.fault(
        "num_attention_heads", "found \(headCount), expected a divisor of hidden_size \(width)")
    }
    guard let name = json["hidden_act"]?.string, let activation = Activation(rawValue: name) else {
      let known = Activation.allCases.map(\.rawValue).joined(separator: " or ")
      throw file.refusal("hidden_act", "found \(shown(json["hidden_act"])), expected \(known)")
    }
    self.activation = activation
    guard let epsilon = json["layer_norm_eps"]?.number, epsilon > 0 && epsilon < 1 else {
      throw file.fault(
        "layer_norm_eps", "found \(shown(json["layer_norm_eps"])), expected a number in (0, 1)")
    }
    self.epsilon = Float(epsilon)
  }
}
