public import TensorCore

/// The random numbers of a sample, from its own seed alone: neither the batch a sample is in nor the order of
/// work changes them.
///
/// Stream 0 of the seed holds the initial latent, stream k + 1 the noise of step k (from 0). Elements are drawn
/// in the order H, W, C of one sample.
public enum LatentNoise {
  /// Initial latents, one sample a seed.
  ///
  /// - Shapes: N seeds → [N, height, width, channels], in latent cells.
  public static func initial(seeds: [UInt64], height: Int, width: Int, channels: Int) -> Tensor {
    stream(0, seeds: seeds, shape: [height, width, channels])
  }

  /// The noise that a stochastic sampler adds at step `step`, from 0.
  ///
  /// - Shapes: N seeds, `shape` [H, W, C] of one sample → [N, H, W, C].
  public static func step(_ step: Int, seeds: [UInt64], shape: [Int]) -> Tensor {
    precondition(step >= 0, "LatentNoise: step \(step)")
    return stream(UInt64(step) + 1, seeds: seeds, shape: shape)
  }

  private static func stream(_ stream: UInt64, seeds: [UInt64], shape: [Int]) -> Tensor {
    joinedRows(
      seeds.map { RandomStreams(seed: $0).normals(stream: stream, shape: [1] + shape) })
  }
}
