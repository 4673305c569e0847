import Checkpoints
import NeuralLayers
import TensorCore

/// Residual blocks of one level, each with its transformer where the level attends, and a downsampler.
///
/// - Shapes: `x` [N, H, W, I] → [N, H, W, O] from each residual block and [N, ⌈H/2⌉, ⌈W/2⌉, O] last.
/// - Weights: `resnets.i`, `attentions.i`, `downsamplers.0.conv`.
/// - Source: diffusers `DownBlock2D` and `CrossAttnDownBlock2D`.
struct DownBlock: Sendable {
  let transformers: [SpatialTransformer]
  private let residuals: [ResidualBlock]
  private let downsampler: Conv2D?

  init(_ weights: WeightScope, _ configuration: UNetConfiguration, level: Int, inputs: Int) throws {
    let outputs = configuration.widths[level]
    let indices = 0..<configuration.blockCounts[level]
    residuals = try indices.map { index in
      try ResidualBlock(
        weights / "resnets" / index, inputs: index == 0 ? inputs : outputs, outputs: outputs,
        timeWidth: configuration.timeWidth, groups: configuration.groups,
        epsilon: configuration.epsilon)
    }
    transformers =
      configuration.downAttention[level]
      ? try indices.map { index in
        try SpatialTransformer(weights / "attentions" / index, configuration, level: level)
      } : []
    downsampler =
      level == configuration.levelCount - 1
      ? nil
      : try Conv2D(
        weights / "downsamplers" / 0 / "conv", inputs: outputs, outputs: outputs, kernel: 3,
        stride: 2,
        padding: configuration.downsamplePadding == 0
          ? Padding(top: 0, bottom: 1, left: 0, right: 1) : Padding(1))
  }

  /// The outputs of every part in call order; the last one goes on.
  func callAsFunction(_ x: Tensor, time: Tensor, text: ProjectedText, taps: UNetTaps?) -> [Tensor] {
    var outputs: [Tensor] = []
    var x = x
    for (index, residual) in residuals.enumerated() {
      x = residual(x, time: time)
      if !transformers.isEmpty { x = transformers[index](x, text: text, taps: taps) }
      outputs.append(x)
    }
    if let downsampler { outputs.append(downsampler(x)) }
    return outputs
  }
}

extension SpatialTransformer {
  /// Reads the transformer of a level.
  init(_ weights: WeightScope, _ configuration: UNetConfiguration, level: Int) throws {
    try self.init(
      weights, channels: configuration.widths[level], textWidth: configuration.textWidth,
      heads: configuration.headCounts[level], blockCount: configuration.transformerCounts[level],
      groups: configuration.groups, level: level)
  }
}
