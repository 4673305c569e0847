import Synchronization
public import TensorCore

/// A forward pass in training: batch norms use the statistics of the batch, and what the pass changes besides its result
/// is gathered here.
///
/// Layers are values that are made anew from the weights of each step; a pass tells what the next step's buffers are.
public final class TrainingPass: Sendable {
  /// The share of the batch in new running averages.
  public let momentum: Float
  private let streams: RandomStreams
  private let step: UInt64
  private let gathered = Mutex<[String: Tensor]>([:])
  private let draws = Mutex<UInt64>(0)

  /// Begins a pass.
  ///
  /// - Parameters:
  ///   - momentum: PyTorch's unless another is given.
  ///   - seed: of what is drawn at random.
  ///   - step: the same one draws the same, so that nothing is carried from step to step.
  public init(momentum: Float = 0.1, seed: UInt64 = 0, step: Int = 0) {
    self.momentum = momentum
    streams = RandomStreams(seed: seed)
    self.step = UInt64(step)
  }

  /// Drops elements, others at each use.
  ///
  /// - Precondition: `rate` is from 0 to below 1.
  public func dropout(_ x: Tensor, rate: Float) -> Tensor {
    let use = draws.withLock { draws in
      draws += 1
      return draws
    }
    return TensorCore.dropout(x, rate: rate, streams: streams, stream: step << 32 | use)
  }

  /// The buffers that the pass changed, by their full key.
  public var buffers: [String: Tensor] { gathered.withLock { $0 } }

  /// Notes the new value of a buffer.
  public func set(_ key: String, _ value: Tensor) {
    gathered.withLock { $0[key] = value.untracked() }
  }

  /// Moves a running average towards what the batch has.
  public func move(_ key: String, from average: Tensor, to value: Tensor) {
    set(key, combined(average.untracked(), 1 - momentum, value, momentum))
  }
}
