import Checkpoints
import TensorCore

/// All maps of one level, side by side, through one 1×1 convolution.
///
/// The product of the joined maps is the sum of each map's own product, so that a map is projected as soon as it is
/// there and none is kept.
///
/// - Shapes: maps [N, h, w, C_i] → their sum [N, h, w, W].
/// - Weights: `weight` [W, ΣC] (or [W, ΣC, 1, 1]), columns in call order; where both predictions are read, each map's
///   without the text stand before those with it.
struct FeatureProjection: Sendable {
  /// The two halves of the U-Net's batch.
  enum Half: Int, CaseIterable { case unconditional, conditional }

  let width: Int
  let channels: [Int]
  let halves: [Half]
  private let parts: [PackedWeights]

  init(_ weights: WeightScope, _ level: GroundingConfiguration.Level, readsUnconditional: Bool)
    throws
  {
    (width, channels) = (level.width, level.channels)
    halves = readsUnconditional ? Half.allCases : [.conditional]
    let columns = channels.reduce(0, +) * halves.count
    let matrix = try weights.matrix("weight", width, columns)
    let type = weights.type(of: "weight") ?? .float32
    var first = 0
    var parts: [PackedWeights] = []
    for count in channels {
      for _ in halves {
        let columns = Self.columns(first..<first + count, of: matrix)
        parts.append(PackedWeights(linear: columns, storedAs: type))
        first += count
      }
    }
    self.parts = parts
  }

  /// Projects one map and adds it to what was projected before.
  func callAsFunction(_ map: Tensor, block: Int, _ half: Half, adding sum: Tensor?) -> Tensor {
    let place = halves.firstIndex(of: half) ?? 0
    return linear(map, parts[block * halves.count + place], adding: sum)
  }

  private static func columns(_ range: Range<Int>, of matrix: Tensor) -> Tensor {
    let (rows, width) = (matrix.shape[0], matrix.shape[1])
    return matrix.withUnsafeBuffer { source in
      Tensor(shape: [rows, range.count]) { out in
        for row in 0..<rows {
          for (index, column) in range.enumerated() {
            out[row * range.count + index] = source[row * width + column]
          }
        }
      }
    }
  }
}
