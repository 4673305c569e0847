import CanonicalJSON
import Generation
import Imaging
import OpenVocabulary
import TensorCore
import TextConditioning

/// How labels are said to a segmenter: sentences, tokenizer, and what was said before.
struct LabelSpeech {
  private let list: LabelList
  private let opened: SegmenterModel
  private let sentences: [String]
  private let tokenizer: CLIPTokenizer
  private let cache: TextFeatureCache?
  private let sha256: String
  private let runtime: RuntimeOptions

  /// Looks at everything that is needed, and hashes the file of weights.
  ///
  /// - Throws: `GenerationError`, `CheckpointError` or `SegmenterError`.
  init(
    _ options: LabelOptions, _ list: LabelList, _ opened: SegmenterModel, path: String,
    _ runtime: RuntimeOptions
  ) throws {
    (self.list, self.opened, self.runtime) = (list, opened, runtime)
    sentences = try options.sentences(for: opened.architecture)
    if let expected = opened.templateCount, expected != sentences.count {
      throw SegmenterError(
        .usage, "--templates",
        "has \(sentences.count) sentence(s), but the model's cost maps are made for \(expected)")
    }
    tokenizer = try CLIPTokenizer(path: options.tokenizerPath(), padding: .zero)
    cache = options.cache()
    sha256 = try FileDigest.sha256(of: path)
  }

  /// The labels' features; the text tower is in memory no longer than that.
  ///
  /// - Throws: `SegmenterError` or `CheckpointError`, and what `onLabel` throws.
  func features(onLabel: (Int) throws -> Void) throws -> LabelEncoder.Features {
    let encoder = try LabelEncoder(
      opened.textTower(), tokenizer: tokenizer, templates: sentences, cache: cache,
      fingerprint: "\(sha256) \(numerics)")
    return try encoder(list.labels, onLabel: onLabel)
  }

  /// All that decides which label a pixel gets.
  func configuration(_ settings: SegmenterSettings, _ options: SegmenterOptions) -> JSONValue {
    func optional(_ number: Int?) -> JSONValue { number.map { .integer(Int64($0)) } ?? .null }
    let labels: [JSONValue] = list.labels.map { label in
      [
        "id": .integer(Int64(label.id)), "name": .string(label.name),
        "words": .array(label.words.map { .string($0) }),
        "colour": .string(label.colour.description),
      ]
    }
    return .object([
      .init("architecture", .string(opened.architecture.rawValue)),
      .init("model_sha256", .string(sha256)), .init("numerics", .string(numerics)),
      .init("labels", .array(labels)), .init("templates", .array(sentences.map { .string($0) })),
      .init("tokens", .array(probe.map { .integer(Int64($0)) })),
      .init("multi_scale", .bool(settings.multiScale)),
      .init("input_size", optional(settings.inputSide)),
      .init("early_rejection", optional(settings.rejection)),
      .init("class_pooling", .integer(Int64(settings.pooling))),
      .init("head_block", .string(options.headBlock?.rawValue ?? "none")),
      .init("block_depth", optional(options.blockDepth)),
      .init("block_activation", options.blockActivation.map { .string($0.rawValue) } ?? .null),
    ])
  }

  /// The labels' ids by this tokenizer, so that another one is noticed.
  private var probe: [Int] {
    list.labels.flatMap { $0.words.flatMap { tokenizer.encode($0) } }
  }

  private var numerics: String { "\(runtime.numericLevel.rawValue) \(runtime.precision.rawValue)" }
}
