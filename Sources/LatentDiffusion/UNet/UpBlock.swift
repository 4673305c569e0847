import Checkpoints
import NeuralLayers
import TensorCore

/// The mirror of ``DownBlock``: each residual block takes one of the way down's outputs beside its input.
///
/// - Shapes: `x` [N, H, W, P] and skips [N, H, W, S] → [N, H, W, O], or the next skip's height and width.
/// - Weights: `resnets.i`, `attentions.i`, `upsamplers.0.conv`.
/// - Source: diffusers `UpBlock2D` and `CrossAttnUpBlock2D`.
struct UpBlock: Sendable {
  let transformers: [SpatialTransformer]
  /// The number of residual blocks, and of skips taken.
  var count: Int { residuals.count }
  private let residuals: [ResidualBlock]
  private let upsampler: Conv2D?

  /// Reads the block's tensors.
  ///
  /// - Parameters:
  ///   - weights: the block's place.
  ///   - configuration: of the whole U-Net.
  ///   - level: 0 is the latents' size.
  ///   - inputs: channels of what comes from below.
  ///   - skips: channels of the outputs taken, in the order they are taken.
  /// - Throws: `CheckpointError` with the full key if a tensor is absent or misshapen.
  init(
    _ weights: WeightScope, _ configuration: UNetConfiguration, level: Int, inputs: Int,
    skips: [Int]
  ) throws {
    let outputs = configuration.widths[level]
    residuals = try skips.enumerated().map { index, skip in
      try ResidualBlock(
        weights / "resnets" / index, inputs: (index == 0 ? inputs : outputs) + skip,
        outputs: outputs, timeWidth: configuration.timeWidth, groups: configuration.groups,
        epsilon: configuration.epsilon)
    }
    transformers =
      configuration.upAttention[configuration.levelCount - 1 - level]
      ? try skips.indices.map { index in
        try SpatialTransformer(weights / "attentions" / index, configuration, level: level)
      } : []
    upsampler =
      level == 0
      ? nil
      : try Conv2D(
        weights / "upsamplers" / 0 / "conv", inputs: outputs, outputs: outputs, kernel: 3)
  }

  /// Applies the block.
  ///
  /// - Parameters:
  ///   - x: from below.
  ///   - skips: the way down's outputs that are left; this block takes its own off the end, and what is
  ///     then last tells the size to enlarge to.
  ///   - time: see ``ResidualBlock``.
  ///   - text: the text's keys and values.
  ///   - taps: what is to be handed out.
  ///   - emit: receives each output with its index in this block.
  /// - Returns: the last output.
  func callAsFunction(
    _ x: Tensor, skips: inout [Tensor], time: Tensor, text: ProjectedText, taps: UNetTaps?,
    emit: (Int, Tensor) -> Void
  ) -> Tensor {
    var x = x
    for (index, residual) in residuals.enumerated() {
      x = residual(joinedChannels([x, skips.removeLast()]), time: time)
      if !transformers.isEmpty { x = transformers[index](x, text: text, taps: taps) }
      if index == residuals.count - 1, let upsampler, let next = skips.last {
        x = enlarged(x, to: next, by: upsampler)
      }
      emit(index, x)
    }
    return x
  }

  private func enlarged(_ x: Tensor, to skip: Tensor, by upsampler: Conv2D) -> Tensor {
    let (height, width) = (skip.shape[1], skip.shape[2])
    if height == 2 * x.shape[1], width == 2 * x.shape[2] { return upsampler(x, upsampling: true) }
    return upsampler(nearestResized(x, height: height, width: width))
  }
}
