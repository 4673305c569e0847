/// The gradients of one number with respect to the leaves it was made from.
public struct Gradients: Sendable {
  private var byNode: [ObjectIdentifier: Tensor] = [:]

  /// The gradient with respect to a leaf, of its shape; nil where the number does not depend on it.
  ///
  /// - Precondition: the tensor is a leaf (``Tensor/tracked()``): gradients of what was made on the way are not kept.
  public subscript(_ leaf: Tensor) -> Tensor? {
    guard let node = leaf.node else { return nil }
    precondition(
      node.rule == nil, "gradients are kept for leaves, not for a result of \(node.operation ?? "")"
    )
    return byNode[ObjectIdentifier(node)]
  }

  /// Those of a number that depends on nothing.
  fileprivate init() {}

  /// Walks the tape back from a tensor, newest operation first.
  fileprivate init(of root: GradientNode, seed: Tensor) {
    var waiting: [ObjectIdentifier: [GradientNode.Part]] = [ObjectIdentifier(root): [.whole(seed)]]
    for node in Self.newestFirst(root) {
      guard let parts = waiting.removeValue(forKey: ObjectIdentifier(node)) else { continue }
      let gradient = Self.sum(parts, shape: node.shape)
      guard let rule = node.rule else {
        byNode[ObjectIdentifier(node)] = gradient
        continue
      }
      let passed = rule(gradient)
      precondition(
        passed.count == node.inputs.count,
        "\(node.operation ?? ""): \(passed.count) gradients for \(node.inputs.count) inputs")
      for (input, part) in zip(node.inputs, passed) {
        guard let input, let part else { continue }
        waiting[ObjectIdentifier(input), default: []].append(part)
      }
    }
  }

  /// Every node that the root was made from, by falling number.
  private static func newestFirst(_ root: GradientNode) -> [GradientNode] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    var (found, open) = ([GradientNode](), [root])
    while let node = open.popLast() {
      found.append(node)
      for case let input? in node.inputs where seen.insert(ObjectIdentifier(input)).inserted {
        open.append(input)
      }
    }
    return found.sorted { $0.number > $1.number }
  }

  /// Adds what several uses of a tensor passed back, in the order they were reached.
  private static func sum(_ parts: [GradientNode.Part], shape: [Int]) -> Tensor {
    if parts.count == 1, case .whole(let gradient) = parts[0] {
      precondition(gradient.shape == shape, "gradient \(gradient.shape) of a tensor \(shape)")
      return gradient
    }
    return Tensor(shape: shape) { out in
      guard let target = out.baseAddress else { return }
      out.update(repeating: 0)
      for part in parts { add(part, to: target, shape: shape) }
    }
  }

  private static func add(
    _ part: GradientNode.Part, to target: UnsafeMutablePointer<Float>, shape: [Int]
  ) {
    switch part {
    case .whole(let gradient):
      precondition(gradient.shape == shape, "gradient \(gradient.shape) of a tensor \(shape)")
      addRows(gradient, rows: 1, width: gradient.count, to: target, stride: gradient.count)
    case .rows(let first, let gradient):
      let width = shape.dropFirst().reduce(1, *)
      precondition(
        gradient.shape.dropFirst() == shape.dropFirst() && first + gradient.shape[0] <= shape[0],
        "gradient \(gradient.shape) of rows from \(first) of \(shape)")
      addRows(
        gradient, rows: 1, width: gradient.count, to: target + first * width,
        stride: gradient.count)
    case .columns(let first, let gradient):
      let (own, width) = (gradient.lastDimension, shape.last ?? 1)
      precondition(
        gradient.shape.dropLast() == shape.dropLast() && first + own <= width,
        "gradient \(gradient.shape) of columns from \(first) of \(shape)")
      guard own > 0 else { return }
      addRows(gradient, rows: gradient.count / own, width: own, to: target + first, stride: width)
    }
  }
}

extension Tensor {
  /// The gradients of this tensor, or of its product with `seed`, with respect to every leaf it was made from.
  ///
  /// The bytes do not depend on the thread count.
  ///
  /// - Parameter seed: of this tensor's shape; 1 where nil, for a tensor of one element.
  /// - Returns: the gradients; none where nothing was tracked.
  public func gradients(seed: Tensor? = nil) -> Gradients {
    precondition(
      seed?.shape ?? shape == shape && (seed != nil || count == 1),
      "gradients of \(shape) from a seed \(seed?.shape ?? [])")
    let seed = seed ?? Tensor(repeating: 1, shape: shape)
    guard let node else { return Gradients() }
    return Gradients(of: node, seed: seed)
  }
}
