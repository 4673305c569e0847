public import Checkpoints
import NeuralLayers
public import TensorCore

/// The network that predicts what a sampler takes off a noisy latent, given the timestep and a text.
///
/// - Shapes: latents [N, H, W, C], text [N, T, D] → [N, H, W, O]; any H and W.
/// - Weights: `conv_in`, `time_embedding`, `down_blocks.i`, `mid_block`, `up_blocks.i`, `conv_norm_out`,
///   `conv_out`.
/// - Source: diffusers `UNet2DConditionModel`.
public struct UNet: Sendable {
  /// The shape of the network.
  public let configuration: UNetConfiguration
  /// Every block that can be tapped, in call order.
  public let blocks: [UNetBlock]
  /// Every layer that attends to the text, in call order; can be tapped.
  public let crossAttentionLayers: [AttentionLayer]
  /// Every layer in which the pixels attend to each other, in call order; can be tapped.
  public let selfAttentionLayers: [AttentionLayer]

  private let timeEmbedding: TimestepEmbedding
  private let convIn: Conv2D
  private let downBlocks: [DownBlock]
  private let middleBlock: MiddleBlock
  private let upBlocks: [UpBlock]
  private let normOut: GroupNorm
  private let convOut: Conv2D
  private let inputBlocks: [UNetBlock]
  private let middle: UNetBlock
  private let outputBlocks: [UNetBlock]
  private let transformerBlocks: [TransformerBlock]

  /// Reads the network's tensors and refuses leftovers.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent, misshapen or has no place.
  public init(_ weights: WeightScope, _ configuration: UNetConfiguration) throws {
    self.configuration = configuration
    let widths = configuration.widths
    let levels = configuration.levelCount
    timeEmbedding = try TimestepEmbedding(
      weights / "time_embedding",
      sinusoids: .init(
        width: widths[0], cosinesFirst: configuration.cosinesFirst,
        frequencyShift: configuration.frequencyShift),
      outputs: configuration.timeWidth)
    // The first and the last convolution, a small part of the work, stay exact: their inputs are the latents and what
    // is taken from them.
    convIn = try Conv2D(
      weights / "conv_in", inputs: configuration.inputs, outputs: widths[0], kernel: 3,
      precision: .exact)
    downBlocks = try (0..<levels).map { level in
      try DownBlock(
        weights / "down_blocks" / level, configuration, level: level,
        inputs: widths[max(level - 1, 0)])
    }
    middleBlock = try MiddleBlock(weights / "mid_block", configuration)
    inputBlocks = configuration.inputBlocks
    middle = configuration.middleBlock
    outputBlocks = configuration.outputBlocks

    var skips = inputBlocks.map(\.channels)
    var inputs = widths[levels - 1]
    upBlocks = try (0..<levels).map { index in
      let level = levels - 1 - index
      let count = configuration.blockCounts[level] + 1
      let taken = Array(skips.suffix(count).reversed())
      skips.removeLast(count)
      defer { inputs = widths[level] }
      return try UpBlock(
        weights / "up_blocks" / index, configuration, level: level, inputs: inputs, skips: taken)
    }
    normOut = try GroupNorm(
      weights / "conv_norm_out", channels: widths[0], groups: configuration.groups,
      epsilon: configuration.epsilon)
    convOut = try Conv2D(
      weights / "conv_out", inputs: widths[0], outputs: configuration.outputs, kernel: 3,
      precision: .exact)

    blocks = inputBlocks + [middle] + outputBlocks
    let transformers =
      downBlocks.flatMap(\.transformers) + [middleBlock.transformer]
      + upBlocks.flatMap(\.transformers)
    transformerBlocks = transformers.flatMap(\.blocks)
    crossAttentionLayers = transformerBlocks.map(\.crossAttentionLayer)
    selfAttentionLayers = transformerBlocks.map(\.selfAttentionLayer)
    try weights.checkEverythingUsed()
  }

  /// Projects the text [N, T, D] for every layer, once for all steps.
  ///
  /// - Precondition: D is the configuration's `textWidth`.
  public func project(text: Tensor) -> ProjectedText {
    precondition(
      text.rank == 3 && text.lastDimension == configuration.textWidth,
      "UNet: text \(text.shape), expected [N, T, \(configuration.textWidth)]")
    return ProjectedText(text, for: transformerBlocks)
  }

  /// Predicts; see ``callAsFunction(_:timesteps:projectedText:taps:)``.
  public func callAsFunction(
    _ latents: Tensor, timesteps: [Int], text: Tensor, taps: UNetTaps? = nil
  ) -> Tensor {
    self(latents, timesteps: timesteps, projectedText: project(text: text), taps: taps)
  }

  /// Predicts; see ``callAsFunction(_:timesteps:projectedText:taps:)``.
  public func callAsFunction(
    _ latents: Tensor, timesteps: [Int], projectedText: ProjectedText, taps: UNetTaps? = nil
  ) -> Tensor {
    self(latents, timesteps: timesteps.map(Float.init), projectedText: projectedText, taps: taps)
  }

  /// Predicts.
  ///
  /// - Parameters:
  ///   - latents: noisy latents [N, H, W, C].
  ///   - timesteps: one for the batch or one a sample, in the training schedule's numbering; they may lie between
  ///     two training steps.
  ///   - projectedText: see ``project(text:)``, of N samples.
  ///   - taps: what is to be handed out on the way.
  /// - Returns: the prediction [N, H, W, O].
  public func callAsFunction(
    _ latents: Tensor, timesteps: [Float], projectedText: ProjectedText, taps: UNetTaps? = nil
  ) -> Tensor {
    let (n, _, _, c) = latents.dimensions4("UNet")
    precondition(c == configuration.inputs, "UNet: \(c) channels, not \(configuration.inputs)")
    precondition(projectedText.count == n, "UNet: \(projectedText.count) texts for \(n) latents")
    precondition(
      timesteps.count == 1 || timesteps.count == n, "UNet: \(timesteps.count) timesteps for \(n)")
    let each = timesteps.count == n ? timesteps : Array(repeating: timesteps[0], count: n)
    let time = silu(timeEmbedding(each))  // [N, T]

    var skips = [convIn(configuration.centersInput ? latents.mapped { 2 * $0 - 1 } : latents)]
    var x = skips[0]
    taps?.emit(inputBlocks[0], x)
    for block in downBlocks {
      for output in block(x, time: time, text: projectedText, taps: taps) {
        taps?.emit(inputBlocks[skips.count], output)
        skips.append(output)
        x = output
      }
    }
    x = middleBlock(x, time: time, text: projectedText, taps: taps)
    taps?.emit(middle, x)
    var done = 0
    for block in upBlocks {
      x = block(x, skips: &skips, time: time, text: projectedText, taps: taps) { index, output in
        taps?.emit(outputBlocks[done + index], output)
      }
      done += block.count
    }
    return convOut(normOut(x, thenSiLU: true))
  }
}
