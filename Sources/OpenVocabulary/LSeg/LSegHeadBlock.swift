import Checkpoints
import TensorCore

/// How LSeg's logits are smoothed before they are doubled.
public struct LSegHead: Sendable, Equatable {
  /// What a block does beside the convolution.
  public enum Kind: String, Sendable, CaseIterable {
    /// Nothing is smoothed; so are all the weights that were published.
    case none
    /// Each pixel's largest logit is added to all of its logits.
    case bottleneck
    /// The convolution alone.
    case depthwise
  }

  /// The activation between applications of the block.
  public enum Activation: String, Sendable, CaseIterable {
    /// x, a hundredth of it below 0.
    case leakyReLU = "lrelu"
    /// The hyperbolic tangent.
    case tanh
    /// The larger of x and 0.
    case relu
  }

  /// What a block does.
  public let kind: Kind
  /// How often the block is applied, the same one each time, the last time without activation.
  public let depth: Int
  /// The activation.
  public let activation: Activation

  /// No block.
  public static let none = LSegHead(.none)

  /// Names a head.
  ///
  /// - Precondition: `depth` is 1 or more.
  public init(_ kind: Kind, depth: Int = 1, activation: Activation = .leakyReLU) {
    precondition(depth >= 1, "head block of depth \(depth), expected 1 or more")
    (self.kind, self.depth, self.activation) = (kind, depth, activation)
  }
}

/// One 3×3 convolution for all labels, so that neither their number nor their order matters.
///
/// - Shapes: logits [h, W, n] → the same.
/// - Weights: `weight` [1, 1, 3, 3], `bias` [1].
/// - Source: LSeg (2022), section 3.3, BottleneckBlock and DepthwiseBlock.
struct LSegHeadBlock: Sendable {
  /// Where it stands in a file.
  static let place = "scratch.head_block.depthwise.depthwise"

  private let head: LSegHead
  private let kernel: [Float]
  private let bias: Float

  /// How many rows beyond its own a row of the result is made from.
  var reach: Int { head.depth }

  init(_ weights: WeightScope, _ head: LSegHead) throws {
    self.head = head
    kernel = try weights.tensor("weight", [1, 1, 3, 3]).values
    bias = try weights.tensor("bias", [1]).values[0]
  }

  /// Applies the block as often as the head says to some rows of a map.
  ///
  /// - Parameters:
  ///   - x: rows of the logits [h, W, n].
  ///   - held: which rows they are.
  ///   - rows: the rows that are wanted: `held` without `reach` rows on either side, fewer at the map's edges.
  ///   - height: rows of the map.
  /// - Returns: the wanted rows.
  func callAsFunction(_ x: Tensor, held: Range<Int>, rows: Range<Int>, height: Int) -> Tensor {
    var (x, held) = (x, held)
    for left in (0..<head.depth).reversed() {
      let next = Self.widened(rows, by: left, height)
      let needed = Self.widened(next, by: 1, height)
      let input = x.rows(
        needed.lowerBound - held.lowerBound..<needed.upperBound - held.lowerBound)
      var output = sharedConvolution(
        input, kernel: kernel, bias: bias, above: next.lowerBound == 0 ? 1 : 0,
        below: next.upperBound == height ? 1 : 0)
      if head.kind == .bottleneck {
        let own = input.rows(
          next.lowerBound - needed.lowerBound..<next.upperBound - needed.lowerBound)
        output = addingToRows(output, largestInRows(own))
      }
      (x, held) = (left > 0 ? activated(output) : output, next)
    }
    return x
  }

  /// The rows with some more on either side, as far as the map goes.
  static func widened(_ rows: Range<Int>, by count: Int, _ height: Int) -> Range<Int> {
    max(0, rows.lowerBound - count)..<min(height, rows.upperBound + count)
  }

  private func activated(_ x: Tensor) -> Tensor {
    switch head.activation {
    case .leakyReLU: leakyReLU(x)
    case .tanh: tanh(x)
    case .relu: relu(x)
    }
  }
}
