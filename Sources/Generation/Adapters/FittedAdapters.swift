import Checkpoints
import LatentDiffusion
import TensorCore
import TextConditioning

/// Adapters that are known to fit a model, and what they make of its parts.
struct FittedAdapters: Sendable {
  /// What they were made from.
  let adapters: ModelAdapters
  private let loras: LoRAMerge

  /// None.
  init() { (adapters, loras) = (ModelAdapters(), LoRAMerge()) }

  /// Finds the layers of every LoRA and the ids of every embedding; no weight of the model is read.
  ///
  /// - Parameters:
  ///   - adapters: the files.
  ///   - parts: the model's tensors.
  ///   - tokenizer: the model's own.
  ///   - textWidth: the width of the text encoder.
  /// - Throws: `CheckpointError` where a file is for another model.
  init(
    _ adapters: ModelAdapters, parts: [LoRAComponent: any WeightSource],
    tokenizer: @autoclosure () throws -> CLIPTokenizer, textWidth: Int
  ) throws {
    self.adapters = adapters
    loras = try LoRAMerge(adapters.loras.map { ($0.file, $0.weight) }, parts: parts)
    for (file, _) in adapters.embeddings where file.vectors.lastDimension != textWidth {
      throw CheckpointError(
        .wrongShape, file: file.path,
        "the vectors of \"\(file.word)\" are \(file.vectors.lastDimension) wide, expected the text encoder's "
          + "\(textWidth): an embedding for another model")
    }
    if !adapters.embeddings.isEmpty { _ = try tokenizer().adding(adapters.words) }
  }

  /// The tensors of a part, LoRA products added.
  func merged(_ component: LoRAComponent, _ source: any WeightSource) -> any WeightSource {
    loras.merged(component, source)
  }

  /// The pairs whose products ``merged(_:_:)`` adds to a weight.
  func pairs(_ component: LoRAComponent, _ key: String) -> [LoRAFile.Pair] {
    loras.pairs(component, key)
  }

  /// The tokenizer with the embeddings' words.
  ///
  /// - Throws: `CheckpointError` where a word is in the vocabulary.
  func extended(_ tokenizer: CLIPTokenizer) throws -> CLIPTokenizer {
    try tokenizer.adding(adapters.words)
  }

  /// The text encoder with the embeddings' vectors, at the ids that ``extended(_:)`` gives them.
  ///
  /// - Throws: `CheckpointError` where the tokenizer has ids the encoder has no rows for.
  func extended(
    _ encoder: CLIPTextEncoder, of tokenizer: @autoclosure () throws -> CLIPTokenizer
  ) throws -> CLIPTextEncoder {
    guard !adapters.embeddings.isEmpty else { return encoder }
    let tokenizer = try tokenizer()
    try encoder.checkFits(tokenizer)
    return encoder.adding(
      joinedRows(adapters.embeddings.map(\.file.vectors)), at: tokenizer.largestID + 1)
  }
}

extension StableDiffusionModel {
  /// The model with adapters, which change its parts when they are loaded.
  ///
  /// - Throws: `CheckpointError` where a file is for another model, or an embedding's word is in the vocabulary.
  public func adapted(by adapters: ModelAdapters) throws -> StableDiffusionModel {
    guard !adapters.isEmpty else { return self }
    var model = self
    model.fitted = try FittedAdapters(
      adapters,
      parts: [
        .unet: try parts.weights("unet"), .textEncoder: try parts.weights("text_encoder"),
      ],
      tokenizer: try plainTokenizer(),
      textWidth: unetConfiguration.textWidth)
    return model
  }

  /// The adapters the model was given.
  public var adapters: ModelAdapters { fitted.adapters }
}
