import Checkpoints
public import TensorCore

/// What a network is given and gives, as tensors in safetensors files: for comparisons with other code.
///
/// Keys of the input: `image` [n, 3, h, w], normalised and at its final size; `tokens` [classes, 77] or [classes, templates,
/// 77], or `embeddings` [classes, templates, D] or [classes, D].
public struct SegmenterTensorFile: Sendable {
  /// The most classes.
  public static let classLimit = LabelList.sizeLimit
  /// What stands for the logits of a class that was rejected, whose probability is 0.
  public static let rejected: Float = -100

  private let source: SafetensorsFile

  /// Opens the file.
  ///
  /// - Throws: `CheckpointError` where it is not safetensors, or has keys that mean nothing here.
  public init(path: String) throws {
    source = try SafetensorsFile(path: path)
    let known = ["image", "tokens", "embeddings"]
    if let stray = source.keys.first(where: { !known.contains($0) }) {
      throw fault(.unusedTensors, stray, "this tensor has no place; expected \(known.joined(separator: ", "))")
    }
  }

  /// The images [n, h, w, 3].
  ///
  /// - Throws: `CheckpointError` where they are absent or of sides that are no multiples of 32.
  public func image() throws -> Tensor {
    let shape = source.record("image")?.shape ?? []
    let unit = SegmenterSettings.sideUnit
    guard shape.count == 4, shape[0] > 0, shape[1] == 3,
      shape.dropFirst(2).allSatisfy({ $0 > 0 && $0.isMultiple(of: unit) })
    else {
      throw fault(
        .wrongShape, "image",
        "found shape \(shape), expected [n, 3, h, w] with sides in multiples of \(unit)")
    }
    return try source.tensor("image").channelsLast()
  }

  /// The features of classes [classes, templates, D]: given ones as they are, or those of tokens.
  ///
  /// - Parameters:
  ///   - tower: the text tower, read where there are tokens.
  ///   - templates: the sentences a class must have; nil for any number.
  ///   - width: D.
  /// - Returns: the features; those of tokens have length 1.
  /// - Throws: `CheckpointError` where they are absent, doubled or of another shape, and what `tower` throws.
  public func classes(
    tower: () throws -> CLIPTextTower, templates: Int?, width: Int
  ) throws -> Tensor {
    let (tokens, embeddings) = (source.record("tokens"), source.record("embeddings"))
    guard (tokens == nil) != (embeddings == nil) else {
      throw fault(
        .missingTensor, "tokens",
        "found \(tokens == nil ? "neither tokens nor" : "both tokens and") embeddings, expected one of them")
    }
    let key = tokens == nil ? "embeddings" : "tokens"
    var shape = (tokens ?? embeddings)?.shape ?? []
    if shape.count == 2 { shape.insert(1, at: 1) }
    guard shape.count == 3, 1...Self.classLimit ~= shape[0], shape[1] == templates ?? shape[1],
      1...4096 ~= shape[1], tokens != nil || shape[2] == width
    else {
      throw fault(
        .wrongShape, key,
        "found shape \(shape), expected [classes, \(templates.map { "\($0)" } ?? "templates"), "
          + "\(tokens == nil ? "\(width)" : "77")]")
    }
    if tokens == nil { return try source.tensor(key).reshaped(shape) }
    return try encoded(shape, tower())
  }

  private func encoded(_ shape: [Int], _ tower: CLIPTextTower) throws -> Tensor {
    let key = "tokens"
    let (length, size) = (shape[2], tower.shapes.vocabularySize)
    guard 1...tower.shapes.positionCount ~= length else {
      throw fault(
        .wrongShape, key,
        "found \(length) tokens a sentence, expected at most \(tower.shapes.positionCount)")
    }
    let ids = try source.integers(key).map { id in
      guard let id = Int(exactly: id), 0..<size ~= id else {
        throw fault(.malformed, key, "found the id \(id), expected 0 to \(size - 1)")
      }
      return id
    }
    let sentences = (0..<shape[0] * shape[1]).map { Array(ids[$0 * length..<($0 + 1) * length]) }
    return unitVectors(tower(sentences)).reshaped([shape[0], shape[1], tower.shapes.featureWidth])
  }

  private func fault(
    _ code: CheckpointError.Code, _ key: String, _ message: String
  ) -> CheckpointError {
    CheckpointError(code, file: source.name, key: key, message)
  }
}
