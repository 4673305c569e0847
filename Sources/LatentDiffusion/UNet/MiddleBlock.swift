import Checkpoints
import TensorCore

/// A transformer between two residual blocks, at the lowest level.
///
/// - Shapes: `x` [N, H, W, C] → the same.
/// - Weights: `resnets.0`, `attentions.0`, `resnets.1`.
/// - Source: diffusers `UNetMidBlock2DCrossAttn`.
struct MiddleBlock: Sendable {
  let transformer: SpatialTransformer
  private let first: ResidualBlock
  private let second: ResidualBlock

  init(_ weights: WeightScope, _ configuration: UNetConfiguration) throws {
    let level = configuration.levelCount - 1
    func residual(_ index: Int) throws -> ResidualBlock {
      try ResidualBlock(
        weights / "resnets" / index, inputs: configuration.widths[level],
        outputs: configuration.widths[level], timeWidth: configuration.timeWidth,
        groups: configuration.groups, epsilon: configuration.epsilon)
    }
    first = try residual(0)
    transformer = try SpatialTransformer(weights / "attentions" / 0, configuration, level: level)
    second = try residual(1)
  }

  func callAsFunction(_ x: Tensor, time: Tensor, text: ProjectedText, taps: UNetTaps?) -> Tensor {
    second(transformer(first(x, time: time), text: text, taps: taps), time: time)
  }
}
