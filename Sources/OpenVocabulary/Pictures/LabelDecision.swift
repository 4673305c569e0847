#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import TensorCore

/// Which label each pixel has, found without ever holding the scores of all pixels: maps are brought to the picture's
/// size some rows at a time, and labels may come in groups.
struct LabelDecision {
  /// What scores are.
  enum Kind {
    /// Logits of labels that share a pixel's probability of 1.
    case logits
    /// Probabilities of labels on their own.
    case probabilities
  }

  /// Scores of pixels that are held at once, for each map.
  private static let scoresTogether = 8 << 20
  /// Below this difference from the highest logit a label's share of the probability does not count in float.
  private static let negligible: Float = -18

  let width: Int
  let height: Int
  private let kind: Kind
  private var best: [Float]
  private var label: [Int32]
  /// Σ exp(logit - best), with logits.
  private var sum: [Float]

  /// Starts with no label at all.
  init(width: Int, height: Int, kind: Kind) {
    (self.width, self.height, self.kind) = (width, height, kind)
    best = [Float](repeating: -.infinity, count: width * height)
    label = [Int32](repeating: -1, count: width * height)
    sum = [Float](repeating: 0, count: kind == .logits ? width * height : 0)
  }

  /// Lets a group of labels compete with those before; of equals the first label wins.
  ///
  /// - Parameters:
  ///   - maps: of equal numbers of labels; a pixel's score is their mean.
  ///   - firstLabel: the number of the group's first label.
  mutating func compare(_ maps: [ScoreMap], firstLabel: Int) throws {
    let rowsTogether = max(1, min(height, Self.scoresTogether / (width * maps[0].count)))
    for first in stride(from: 0, to: height, by: rowsTogether) {
      let rows = first..<min(height, first + rowsTogether)
      var scores = maps[0].rows(rows, height: height, width: width)
      for map in maps.dropFirst() {
        scores = scores + map.rows(rows, height: height, width: width)
      }
      let weight = 1 / Float(maps.count)
      try compare(weight == 1 ? scores : weight * scores, rows: rows, firstLabel: firstLabel)
    }
  }

  /// The labels by their numbers, and the probability of each pixel's.
  ///
  /// - Throws: ``SegmenterError`` where a pixel had no score that is a number.
  func finished() throws -> (labels: [Int32], probabilities: [Float]) {
    guard !label.contains(-1) else {
      throw SegmenterError(
        .notFinite, "", "the segmenter's scores are not numbers; its weights are broken")
    }
    return (label, kind == .logits ? sum.map { 1 / $0 } : best)
  }

  private mutating func compare(_ scores: Tensor, rows: Range<Int>, firstLabel: Int) throws {
    let (width, kind, count) = (width, kind, scores.lastDimension)
    try best.withUnsafeMutableBufferPointer { best in
      try label.withUnsafeMutableBufferPointer { label in
        try sum.withUnsafeMutableBufferPointer { sum in
          nonisolated(unsafe) let (best, label, sum) = (best, label, sum)
          _ = try scores.withUnsafeBuffer { scores in
            try Parallel.map(rows.count) { row in
              for x in 0..<width {
                let pixel = (rows.lowerBound + row) * width + x
                let own = UnsafeBufferPointer(
                  rebasing: scores[(row * width + x) * count..<(row * width + x + 1) * count])
                let place = Self.highest(own)
                if kind == .logits {
                  let top = max(own[place], best[pixel])
                  let before = sum[pixel] == 0 ? 0 : sum[pixel] * exp(best[pixel] - top)
                  sum[pixel] = before + Self.exponentials(own, below: top)
                }
                if own[place] > best[pixel] {
                  best[pixel] = own[place]
                  label[pixel] = Int32(firstLabel + place)
                }
              }
            }
          }
        }
      }
    }
  }

  private static func highest(_ scores: UnsafeBufferPointer<Float>) -> Int {
    var place = 0
    for k in 1..<max(1, scores.count) where scores[k] > scores[place] { place = k }
    return place
  }

  private static func exponentials(
    _ scores: UnsafeBufferPointer<Float>, below top: Float
  ) -> Float {
    var sum: Float = 0
    for score in scores where score - top > negligible { sum += exp(score - top) }
    return sum
  }
}
