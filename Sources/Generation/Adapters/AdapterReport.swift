public import CanonicalJSON
public import Checkpoints
public import TensorCore

/// What a LoRA file or an embedding is, for people and programs.
public struct AdapterReport: Sendable {
  /// "lora" or "embedding".
  public let kind: String
  /// What it is made of.
  public let configuration: JSONValue
  /// How many numbers it holds.
  public let parameters: Int
  /// How many tensors are stored in each type.
  public let types: [ElementType: Int]

  /// Looks at a file that is open; nil where it is no adapter.
  ///
  /// - Throws: `CheckpointError` where it is an adapter of a kind that cannot be merged, or a broken one.
  public init?(_ source: any WeightSource, path: String) throws {
    if EmbeddingFile.isEmbedding(source) {
      let file = try EmbeddingFile(path: path)
      kind = "embedding"
      configuration = [
        "word": .string(file.word), "vectors": .integer(Int64(file.vectors.shape[0])),
        "width": .integer(Int64(file.vectors.lastDimension)),
      ]
      (parameters, types) = (file.vectors.count, [file.type: 1])
    } else if LoRAFile.isLoRA(source) {
      let file = try LoRAFile(path: path)
      kind = "lora"
      configuration = Self.configuration(file)
      (parameters, types) = (file.parameterCount, file.typeCounts)
    } else {
      return nil
    }
  }

  private static func configuration(_ file: LoRAFile) -> JSONValue {
    let targets = LoRAComponent.allCases.map { component in
      JSONValue.Member(
        component.rawValue,
        .integer(Int64(file.pairs.count { $0.component == component })))
    }
    return [
      "rank": .array(Set(file.pairs.map(\.rank)).sorted().map { .integer(Int64($0)) }),
      "alpha": .array(Set(file.pairs.map(\.alpha)).sorted().map { .number($0) }),
      "targets": .object(targets),
      "made_for": file.likelyModel.map { .string($0) } ?? .null,
    ]
  }
}
