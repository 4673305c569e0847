public import Checkpoints
import NeuralLayers
public import TensorCore

/// CLIP's text encoder: token ids to one vector a token, the condition of the denoiser.
///
/// - Shapes: `ids` N sequences of T → [N, T, D].
/// - Weights: `embeddings`, `encoder.layers`, `final_layer_norm`, below `text_model` or, as transformers 5
///   writes them, at the top; `position_ids` and `text_projection` may be there and are not used.
/// - Source: transformers `CLIPTextModel`.
public struct CLIPTextEncoder: Sendable {
  /// The sizes.
  public private(set) var configuration: CLIPTextConfiguration
  private let file: String
  private var tokens: Embedding
  private let positions: Embedding
  private let layers: [TransformerLayer]
  private let finalNorm: LayerNorm

  /// Reads the encoder's tensors; the scope is the root of the encoder's own checkpoint.
  ///
  /// - Throws: `CheckpointError` with the full key if a tensor is absent, misshapen or has no place.
  public init(_ weights: WeightScope, configuration: CLIPTextConfiguration) throws {
    let nested = weights / "text_model"
    let isNested = nested.shape("embeddings.token_embedding.weight") != nil
    let model = isNested ? nested : weights
    let embeddings = model / "embeddings"
    tokens = try Embedding(
      embeddings / "token_embedding", count: configuration.vocabularySize,
      width: configuration.width)
    positions = try Embedding(
      embeddings / "position_embedding", count: configuration.positionCount,
      width: configuration.width)
    layers = try (0..<configuration.layerCount).map { index in
      try TransformerLayer(model / "encoder" / "layers" / index, configuration)
    }
    finalNorm = try LayerNorm(
      model / "final_layer_norm", width: configuration.width, epsilon: configuration.epsilon)
    self.configuration = configuration
    file = weights.file
    embeddings.ignore("position_ids")
    weights.ignore("text_projection.weight")
    try weights.checkEverythingUsed()
  }

  /// Refuses a tokenizer whose ids or sequences this encoder has no rows for.
  ///
  /// - Throws: `CheckpointError` with what the tokenizer makes and what the encoder takes.
  public func checkFits(_ tokenizer: CLIPTokenizer) throws {
    guard tokenizer.largestID < configuration.vocabularySize else {
      throw CheckpointError(
        .wrongShape, file: file, key: "embeddings.token_embedding.weight",
        "the table has \(configuration.vocabularySize) rows, expected more than the largest id "
          + "\(tokenizer.largestID) of the tokenizer in \(tokenizer.folder)")
    }
    guard tokenizer.length <= configuration.positionCount else {
      throw CheckpointError(
        .wrongShape, file: file, key: "embeddings.position_embedding.weight",
        "the table has \(configuration.positionCount) rows, expected at least the "
          + "model_max_length \(tokenizer.length) of the tokenizer in \(tokenizer.folder)")
    }
  }

  /// The encoder with vectors for more ids; what the table has for those ids is replaced.
  ///
  /// - Parameters:
  ///   - vectors: [n, D].
  ///   - firstID: the id of the first one.
  /// - Returns: the encoder with a longer table.
  /// - Precondition: the vectors are as wide as the table, and no id is left out between it and `firstID`.
  public func adding(_ vectors: Tensor, at firstID: Int) -> CLIPTextEncoder {
    let size = configuration.vocabularySize
    precondition(
      vectors.rank == 2 && vectors.lastDimension == configuration.width && 0...size ~= firstID,
      "text encoder: vectors \(vectors.shape) at \(firstID) of a table [\(size), \(configuration.width)]"
    )
    let end = firstID + vectors.shape[0]
    var result = self
    result.tokens = Embedding(
      joinedRows([
        tokens.table.rows(0..<firstID), vectors, tokens.table.rows(min(end, size)..<size),
      ]))
    result.configuration.vocabularySize = max(end, size)
    return result
  }

  /// The last hidden state behind the final layer norm.
  ///
  /// - Precondition: the sequences have one length in 1...positionCount, the ids are in 0..<vocabularySize.
  public func callAsFunction(_ ids: [[Int]]) -> Tensor {
    normalized(hiddenState(ids, after: configuration.layerCount))
  }

  /// The hidden state after some layers, before any final norm; later layers are not computed.
  ///
  /// - Parameters:
  ///   - ids: sequences of one length.
  ///   - depth: how many layers, 0 for the embeddings alone, `layerCount - 1` for the penultimate state.
  /// - Returns: [N, T, D], transformers' `hidden_states[depth]`.
  /// - Precondition: as ``callAsFunction(_:)``.
  public func hiddenState(_ ids: [[Int]], after depth: Int) -> Tensor {
    precondition(
      depth >= 0 && depth <= layers.count, "hidden state \(depth) of \(layers.count) layers")
    return layers.prefix(depth).reduce(embedded(ids)) { x, layer in layer(x) }
  }

  /// The final layer norm, for a hidden state that is used as the condition.
  public func normalized(_ x: Tensor) -> Tensor { finalNorm(x) }

  private func embedded(_ ids: [[Int]]) -> Tensor {
    let length = ids.first?.count ?? 0
    precondition(
      length >= 1 && length <= configuration.positionCount && ids.allSatisfy { $0.count == length },
      "text encoder: sequences of \(ids.map(\.count)) tokens, 1 to \(configuration.positionCount)")
    let places = (0..<ids.count).flatMap { _ in 0..<length }
    let sum = tokens(ids.flatMap { $0 }) + positions(places)  // [N · T, D]
    return sum.reshaped([ids.count, length, configuration.width])
  }
}
