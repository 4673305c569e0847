#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import TensorCore

/// Which label each pixel has, found without ever holding the scores of all pixels: maps are brought to the picture's
/// size row by row, and labels may come in groups.
struct LabelDecision {
  /// What scores are.
  enum Kind {
    /// Logits of labels that share a pixel's probability of 1.
    case logits
    /// Probabilities of labels on their own.
    case probabilities
  }

  /// Rows that a thread takes together.
  private static let bandHeight = 16
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
    sum = kind == .logits ? [Float](repeating: 0, count: width * height) : []
  }

  /// Lets a group of labels compete with those before; of equals the first label wins.
  ///
  /// - Parameters:
  ///   - maps: of equal numbers of labels; a pixel's score is their mean.
  ///   - firstLabel: the number of the group's first label.
  mutating func compare(_ maps: [ScoreMap], firstLabel: Int) throws {
    let (width, height, kind) = (width, height, kind)
    let count = maps[0].scores.shape[2]
    let taps = maps.map { map in
      (
        rows: GridTaps(from: map.scores.shape[0], to: height, alignsCorners: map.alignsCorners),
        columns: GridTaps(from: map.scores.shape[1], to: width, alignsCorners: map.alignsCorners)
      )
    }
    let bands = (height + Self.bandHeight - 1) / Self.bandHeight
    try best.withUnsafeMutableBufferPointer { best in
      try label.withUnsafeMutableBufferPointer { label in
        try sum.withUnsafeMutableBufferPointer { sum in
          nonisolated(unsafe) let (best, label, sum) = (best, label, sum)
          _ = try Parallel.map(bands) { band in
            var line = [Float](repeating: 0, count: width * count)
            var mixed = [Float](
              repeating: 0, count: count * (maps.map { $0.scores.shape[1] }.max() ?? 0))
            for y in band * Self.bandHeight..<min(height, (band + 1) * Self.bandHeight) {
              Self.fill(&line, &mixed, maps, taps, row: y, count: count)
              for x in 0..<width {
                let start = x * count
                var (top, place) = (line[start], 0)
                for k in 1..<max(1, count) where line[start + k] > top {
                  (top, place) = (line[start + k], k)
                }
                let pixel = y * width + x
                if kind == .logits {
                  let highest = max(top, best[pixel])
                  var share = sum[pixel] == 0 ? 0 : sum[pixel] * exp(best[pixel] - highest)
                  for k in 0..<count where line[start + k] - highest > Self.negligible {
                    share += exp(line[start + k] - highest)
                  }
                  sum[pixel] = share
                }
                if top > best[pixel] {
                  best[pixel] = top
                  label[pixel] = Int32(firstLabel + place)
                }
              }
            }
          }
        }
      }
    }
  }

  /// The labels by their numbers, and the probability of each pixel's.
  ///
  /// - Throws: ``SegmenterError`` where a pixel had no score that is a number.
  func finished() throws -> (labels: [Int32], probabilities: [Float]) {
    guard !label.contains(-1) else {
      throw SegmenterError(.notFinite, "", "the segmenter's scores are not numbers; its weights are broken")
    }
    return (label, kind == .logits ? sum.map { 1 / $0 } : best)
  }

  /// A row of the picture: the mean of all maps there.
  private static func fill(
    _ line: inout [Float], _ mixed: inout [Float], _ maps: [ScoreMap],
    _ taps: [(rows: GridTaps, columns: GridTaps)], row: Int, count: Int
  ) {
    let width = line.count / max(1, count)
    let weight = 1 / Float(maps.count)
    line.withUnsafeMutableBufferPointer { line in
      mixed.withUnsafeMutableBufferPointer { mixed in
        for (number, map) in maps.enumerated() {
          let across = map.scores.shape[1] * count
          let (rows, columns) = taps[number]
          let (above, below) = (rows.first[row] * across, rows.second[row] * across)
          let down = rows.fraction[row]
          map.scores.withUnsafeBuffer { scores in
            for index in 0..<across {
              let value = scores[above + index]
              mixed[index] = value + (scores[below + index] - value) * down
            }
          }
          for x in 0..<width {
            let (left, right) = (columns.first[x] * count, columns.second[x] * count)
            let (fraction, to) = (columns.fraction[x], x * count)
            if number == 0 {
              for k in 0..<count {
                let value = mixed[left + k]
                line[to + k] = (value + (mixed[right + k] - value) * fraction) * weight
              }
            } else {
              for k in 0..<count {
                let value = mixed[left + k]
                line[to + k] += (value + (mixed[right + k] - value) * fraction) * weight
              }
            }
          }
        }
      }
    }
  }
}
