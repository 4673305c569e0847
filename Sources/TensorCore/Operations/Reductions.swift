import CKernels

extension Tensor {
  /// The sum of all elements, added in double precision: a scalar.
  ///
  /// - Gradient: 1 for every element.
  public func sum() -> Tensor {
    let total = withUnsafePointer { x in
      blockedSum(count) { ck_sum(x + $0.lowerBound, $0.count) }
    }
    return scalar(Float(total), "sum", slope: 1)
  }

  /// The mean of all elements: a scalar.
  ///
  /// - Gradient: 1 / count for every element.
  /// - Precondition: there is an element.
  public func mean() -> Tensor {
    precondition(count > 0, "mean: \(shape) has no elements")
    let total = withUnsafePointer { x in
      blockedSum(count) { ck_sum(x + $0.lowerBound, $0.count) }
    }
    return scalar(Float(total / Double(count)), "mean", slope: 1 / Float(count))
  }

  /// The sum over the leading axes.
  ///
  /// - Shapes: [..., C] → [C].
  /// - Gradient: 1 for every element.
  public func summedRows() -> Tensor {
    let c = lastDimension
    let result = columnSums(self, columns: c).reshaped([c])
    guard isTracked else { return result }
    let shape = shape
    return result.recorded("summedRows", from: [self]) {
      [addingRepeated(Tensor.zeros(shape), $0)]
    }
  }

  private func scalar(_ value: Float, _ operation: String, slope: Float) -> Tensor {
    let result = Tensor([value], shape: [])
    guard isTracked else { return result }
    let shape = shape
    return result.recorded(operation, from: [self]) { gradient in
      [Tensor(repeating: gradient.scalarValue * slope, shape: shape)]
    }
  }

  /// The one element.
  ///
  /// - Precondition: there is exactly one.
  public var scalarValue: Float {
    precondition(count == 1, "scalarValue: \(shape) has \(count) elements")
    return withUnsafePointer { $0[0] }
  }
}
