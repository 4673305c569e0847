public import Imaging

/// The labels that compete for a picture's pixels.
public struct LabelList: Sendable, Equatable {
  /// The most labels: ids of 16 bits without the background and what is to be ignored.
  public static let sizeLimit = 65_534
  /// The label of what is none of the others; its id is 0, the background's, where no table gives it another.
  ///
  /// - Source: LSeg, section 4: the background or unknown class of a data set is trained as "other".
  public static let other = "other"

  /// The labels in the order they were given.
  public let labels: [SegmenterLabel]
  /// The labels' places in ``labels``, by words: what is computed in this order does not depend on the given one.
  let computed: [Int]

  /// Checks labels and numbers those without an id: from 1 in their order, "other" as 0.
  ///
  /// - Parameters:
  ///   - sources: the labels.
  ///   - place: the option they were given by, for messages.
  /// - Throws: ``SegmenterError`` where there are not two, one stands twice, or a name cannot be written.
  public init(_ sources: [LabelSource], place: String) throws {
    guard sources.count > 1 else {
      let found = sources.first.map { "the one label \"\($0.name)\"" } ?? "no label"
      throw SegmenterError(
        .usage, place,
        "found \(found); the most likely label covers a pixel, so expected at least two: add \"other\" for all the rest"
      )
    }
    guard sources.count <= Self.sizeLimit else {
      throw SegmenterError(
        .usage, place, "found \(sources.count) labels; at most \(Self.sizeLimit) have numbers")
    }
    try Self.check(sources)
    var taken = Set(sources.compactMap(\.id))
    var next = 1
    labels = try sources.map { source in
      var id = source.id
      if id == nil, source.name == Self.other, taken.insert(0).inserted { id = 0 }
      while id == nil {
        if taken.insert(next).inserted { id = next }
        next += 1
      }
      guard let id, id <= Self.sizeLimit else {
        throw SegmenterError(
          .usage, source.place, "no id is left for \"\(source.name)\"; at most \(Self.sizeLimit)")
      }
      return SegmenterLabel(
        id: id, name: source.name, words: source.words,
        colour: source.colour ?? Palette.colour(of: UInt16(id)))
    }
    let labels = labels
    computed = labels.indices.sorted { first, second in
      labels[first].words == labels[second].words
        ? labels[first].name.utf8.lexicographicallyPrecedes(labels[second].name.utf8)
        : labels[first].words.joined(separator: "\n").utf8.lexicographicallyPrecedes(
          labels[second].words.joined(separator: "\n").utf8)
    }
  }

  /// How many bits masks have.
  public var maskDepth: LabelMask.Depth {
    LabelMask.Depth(highestID: labels.map(\.id).max() ?? 0)
  }

  private static func check(_ sources: [LabelSource]) throws {
    var places: [String: String] = [:]
    var ids: [Int: String] = [:]
    for source in sources {
      for text in [source.name] + source.words {
        let isClean = text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
        guard isClean, 1...LabelSource.lengthLimit ~= text.utf8.count else {
          throw SegmenterError(
            .malformed, source.place,
            "a label has \(text.utf8.count) bytes or control characters; expected text of 1 to "
              + "\(LabelSource.lengthLimit) bytes")
        }
      }
      // The tokenizer does not tell upper from lower case.
      if let other = places.updateValue(source.place, forKey: source.name.lowercased()) {
        throw SegmenterError(
          .usage, source.place,
          "the label \"\(source.name)\" stands twice"
            + (other == source.place ? "" : ", first in \(other)") + "; labels compete, give each once"
        )
      }
      if let id = source.id, let other = ids.updateValue(source.name, forKey: id) {
        throw SegmenterError(
          .usage, source.place, "\"\(source.name)\" and \"\(other)\" both have the id \(id)")
      }
    }
  }
}
