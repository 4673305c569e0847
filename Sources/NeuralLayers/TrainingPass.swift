import Synchronization
public import TensorCore

/// A forward pass in training: batch norms use the statistics of the batch, and what the pass changes besides its result
/// is gathered here.
///
/// Layers are values that are made anew from the weights of each step; a pass tells what the next step's buffers are.
public final class TrainingPass: Sendable {
  /// The share of the batch in new running averages.
  public let momentum: Float
  private let gathered = Mutex<[String: Tensor]>([:])

  /// Begins a pass; PyTorch's momentum unless another is given.
  public init(momentum: Float = 0.1) {
    self.momentum = momentum
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
