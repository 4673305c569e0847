import Synchronization

/// The operation that made a tensor, kept only where one of its inputs is tracked.
///
/// A node holds the nodes of its inputs, so that the tape lives exactly as long as a tensor that was made on it.
final class GradientNode: Sendable {
  /// What an operation passes back to one of its inputs.
  enum Part: Sendable {
    /// A gradient of the input's shape.
    case whole(Tensor)
    /// That of some rows of the first axis, from this one on; zero elsewhere.
    case rows(Int, Tensor)
    /// That of some columns of the last axis, from this one on; zero elsewhere.
    case columns(Int, Tensor)
  }

  /// From the gradient of the result to those of the inputs; nil for an input that is not tracked.
  typealias Rule = @Sendable (_ gradient: Tensor) -> [Part?]

  /// The operation's name; nil for a leaf.
  let operation: String?
  /// Nodes are numbered as they are made: an input's number is below the result's.
  let number: UInt64
  let shape: [Int]
  let inputs: [GradientNode?]
  let rule: Rule?

  private static let made = Atomic<UInt64>(0)

  init(_ operation: String?, shape: [Int], inputs: [GradientNode?], rule: Rule?) {
    self.operation = operation
    self.shape = shape
    self.inputs = inputs
    self.rule = rule
    number = Self.made.wrappingAdd(1, ordering: .relaxed).newValue
  }
}

extension Tensor {
  /// Whether gradients with respect to this tensor can be asked for: it is a leaf, or was made from one.
  public var isTracked: Bool { node != nil }

  /// The same elements as a leaf of a tape: operations on it are remembered from here on.
  public func tracked() -> Tensor {
    with(GradientNode(nil, shape: shape, inputs: [], rule: nil))
  }

  /// The same elements, cut from the tape.
  public func untracked() -> Tensor { with(nil) }

  /// The same elements with the rule that passes a gradient back to the operation's inputs; this tensor as it is where
  /// none of them is tracked.
  ///
  /// For operations outside of TensorCore, which write their rule next to their formula.
  ///
  /// - Parameters:
  ///   - operation: the operation's name, for messages.
  ///   - inputs: what it was made from.
  ///   - rule: from the gradient of this tensor to those of the inputs, in their order and of their shapes; those of
  ///     inputs that are not tracked are not looked at.
  /// - Returns: the tensor on the tape.
  public func recorded(
    _ operation: String, from inputs: [Tensor?],
    rule: @escaping @Sendable (_ gradient: Tensor) -> [Tensor?]
  ) -> Tensor {
    recordedParts(operation, from: inputs) { gradient in
      rule(gradient).map { $0.map(GradientNode.Part.whole) }
    }
  }

  func recordedParts(
    _ operation: String, from inputs: [Tensor?], rule: @escaping GradientNode.Rule
  ) -> Tensor {
    guard inputs.contains(where: { $0?.node != nil }) else { return self }
    return with(
      GradientNode(operation, shape: shape, inputs: inputs.map { $0?.node }, rule: rule))
  }
}
