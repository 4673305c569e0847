import CanonicalJSON
import DatasetFormat
public import TensorCore
public import TextConditioning

/// Turns labels into features by CLIP's text tower, sentence by sentence, remembering what it did before.
public struct LabelEncoder: Sendable {
  /// Features of labels.
  public struct Features: Sendable {
    /// Of length 1 [labels, templates, D], in the order of the labels.
    public var tensor: Tensor
    /// The labels that the tower had to look at; the others were remembered.
    public var encodedCount: Int
    /// What people should know.
    public var notices: [String]
  }

  /// Where a template says the label.
  public static let slot = "{}"
  /// The template that is a label as it is.
  public static let plain = [slot]
  /// Labels that go to the tower together.
  private static let sentencesTogether = 1024

  private let tower: CLIPTextTower
  private let tokenizer: CLIPTokenizer
  private let templates: [String]
  private let cache: TextFeatureCache?
  private let fingerprint: String

  /// An encoder.
  ///
  /// - Parameters:
  ///   - tower: the segmenter's.
  ///   - tokenizer: CLIP's.
  ///   - templates: sentences with `{}` where the label stands.
  ///   - cache: what remembers features; nil for nothing.
  ///   - fingerprint: of the tower's weights and of how it computes, for the cache.
  /// - Throws: ``SegmenterError`` where a template has no slot or there is none; `CheckpointError` where the tower has no
  ///   room for the tokenizer's ids.
  public init(
    _ tower: CLIPTextTower, tokenizer: CLIPTokenizer, templates: [String],
    cache: TextFeatureCache?, fingerprint: String
  ) throws {
    try tower.checkFits(tokenizer)
    guard !templates.isEmpty, templates.allSatisfy({ $0.contains(Self.slot) }) else {
      throw SegmenterError(
        .usage, "templates", "expected sentences with \(Self.slot) for the label")
    }
    (self.tower, self.tokenizer, self.templates) = (tower, tokenizer, templates)
    (self.cache, self.fingerprint) = (cache, fingerprint)
  }

  /// The features of labels: the mean over a label's words for each template, each of length 1 before and after.
  ///
  /// - Source: xb534/SED `sed_predictor.py` (`class_embeddings`).
  ///
  /// - Parameters:
  ///   - labels: the labels.
  ///   - onLabel: called with the number of labels done; throwing ends the work.
  /// - Returns: the features; a label's do not depend on the others.
  /// - Throws: ``SegmenterError`` naming a label that has no token, and what `onLabel` throws.
  public func callAsFunction(
    _ labels: [SegmenterLabel], onLabel: (Int) throws -> Void
  ) throws -> Features {
    var notices: [String] = []
    let sentences = try labels.map { try self.sentences(of: $0, &notices) }
    let hashes = sentences.map(hash)
    let shape = [templates.count, tower.shapes.featureWidth]
    var found = hashes.map { self.cache?.features($0, shape: shape) }
    let missing = found.indices.filter { found[$0] == nil }
    var cache = cache
    var start = 0
    while start < missing.count {
      try onLabel(labels.count - missing.count + start)
      var end = start + 1
      var count = sentences[missing[start]].count
      while end < missing.count,
        count + sentences[missing[end]].count <= Self.sentencesTogether
      {
        count += sentences[missing[end]].count
        end += 1
      }
      let group = missing[start..<end]
      let made = ClassText.classEmbeddings(
        tower(group.flatMap { sentences[$0] }), synonyms: group.map { labels[$0].words.count },
        templates: templates.count)
      for (row, place) in group.enumerated() {
        let features = made.rows(row..<row + 1).reshaped(shape)
        found[place] = features
        do {
          try cache?.keep(features, hashes[place])
        } catch {
          notices.append("features of labels are not remembered: \(error)")
          cache = nil
        }
      }
      start = end
    }
    try onLabel(labels.count)
    let all = joinedRows(found.compactMap { $0 })
    return Features(
      tensor: all.reshaped([labels.count] + shape), encodedCount: missing.count, notices: notices)
  }

  /// The ids of every template with every word, words of a template together.
  private func sentences(
    of label: SegmenterLabel, _ notices: inout [String]
  ) throws -> [[Int]] {
    for word in label.words where tokenizer.encode(word).isEmpty {
      throw SegmenterError(
        .usage, "the label \"\(label.name)\"",
        "\"\(word)\" has no token: the tokenizer leaves nothing of it; give it another name")
    }
    let texts = templates.flatMap { template in
      label.words.map { Self.filled(template, with: $0) }
    }
    let ids = texts.map(tokenizer.encode)
    let room = tokenizer.length - 2
    if ids.contains(where: { $0.count > room }) {
      notices.append(
        "the label \"\(label.name)\" is longer than the \(room) tokens that the segmenter reads of a sentence; its end is left out"
      )
    }
    return ids.map(tokenizer.padded)
  }

  private static func filled(_ template: String, with word: String) -> String {
    guard let place = template.firstRange(of: slot) else { return template }
    return String(template[..<place.lowerBound]) + word + template[place.upperBound...]
  }

  private func hash(_ sentences: [[Int]]) -> String {
    let ids: [JSONValue] = sentences.map { .array($0.map { .integer(Int64($0)) }) }
    let value = JSONValue.object([
      .init("templates", .integer(Int64(templates.count))), .init("ids", .array(ids)),
      .init("fingerprint", .string(fingerprint)),
    ])
    return ContentHash.sha256(Array(value.text.utf8))
  }
}
