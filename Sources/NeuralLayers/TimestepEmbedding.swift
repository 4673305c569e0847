public import Checkpoints
import Foundation
public import TensorCore

/// Sines and cosines of the timestep through two linear maps with a SiLU between.
///
/// - Shapes: N timesteps → [N, O].
/// - Weights: `linear_1` (I → O), `linear_2` (O → O).
/// - Source: diffusers `Timesteps` and `TimestepEmbedding`.
public struct TimestepEmbedding: Sendable {
  /// How the sinusoids are laid out.
  public struct Sinusoids: Sendable, Equatable {
    /// The number of values, I; an odd one ends with a zero.
    public var width: Int
    /// Whether the cosines come first (`flip_sin_to_cos`).
    public var cosinesFirst: Bool
    /// Taken off the number of frequencies in the exponent's denominator (`freq_shift`).
    public var frequencyShift: Float

    /// Names the layout.
    public init(width: Int, cosinesFirst: Bool, frequencyShift: Float) {
      self.width = width
      self.cosinesFirst = cosinesFirst
      self.frequencyShift = frequencyShift
    }

    /// The values of N timesteps [N, I].
    ///
    /// Frequencies and angles are rounded to single precision as the reference does: at timestep 999 one
    /// unit in the last place of the angle is 6e-5.
    public func callAsFunction(_ timesteps: [Float]) -> Tensor {
      let half = width / 2
      let frequencies = (0..<half).map { index in
        let exponent = Float(-log(10_000.0)) * Float(index) / (Float(half) - frequencyShift)
        return Float(exp(Double(exponent)))
      }
      let (sines, cosines) = cosinesFirst ? (half, 0) : (0, half)
      return Tensor(shape: [timesteps.count, width]) { out in
        out.update(repeating: 0)
        for (row, timestep) in timesteps.enumerated() {
          for (index, frequency) in frequencies.enumerated() {
            let angle = Double(timestep * frequency)
            out[row * width + sines + index] = Float(sin(angle))
            out[row * width + cosines + index] = Float(cos(angle))
          }
        }
      }
    }
  }

  private let sinusoids: Sinusoids
  private let first: Linear
  private let second: Linear

  /// Reads the layer's tensors, which stay exact: every block of a network hangs on them, and they are small.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(_ weights: WeightScope, sinusoids: Sinusoids, outputs: Int) throws {
    self.sinusoids = sinusoids
    first = try Linear(
      weights / "linear_1", inputs: sinusoids.width, outputs: outputs,
      precision: .exact)
    second = try Linear(
      weights / "linear_2", inputs: outputs, outputs: outputs, precision: .exact)
  }

  /// Embeds the timesteps.
  public func callAsFunction(_ timesteps: [Float]) -> Tensor {
    second(silu(first(sinusoids(timesteps))))  // [N, I] → [N, O]
  }
}
