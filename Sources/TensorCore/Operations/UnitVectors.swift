/// Each vector of the last axis divided by its length; one of length 0 becomes NaN, as in the reference.
///
/// - Shapes: [..., D] → the same.
/// - Source: `x / x.norm(dim=-1, keepdim=True)`.
public func unitVectors(_ x: Tensor) -> Tensor {
  precondition(!x.isTracked, "unitVectors has no rule for gradients")
  let d = x.lastDimension
  let timing = OperationTiming(.layerNorm)
  defer { timing.end() }
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(x.count / d, grain: max(1, elementGrain / d)) { rows in
        for row in rows {
          let (from, to) = (source + row * d, destination + row * d)
          let factor = 1 / squaredLength(from, d).squareRoot()
          for k in 0..<d { to[k] = from[k] * factor }
        }
      }
    }
  }
}

/// Sixteen sums side by side, added in one order on every machine.
private func squaredLength(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var sums = SIMD16<Float>.zero
  let whole = count / 16 * 16
  for start in stride(from: 0, to: whole, by: 16) {
    let part = UnsafeRawPointer(x + start).loadUnaligned(as: SIMD16<Float>.self)
    sums += part * part
  }
  var total = sums.sum()
  for k in whole..<count { total += x[k] * x[k] }
  return total
}

/// The largest value of each vector of the last axis.
///
/// - Shapes: [..., D] → [...].
/// - Precondition: D is not 0.
public func largestInRows(_ x: Tensor) -> Tensor {
  precondition(!x.isTracked, "largestInRows has no rule for gradients")
  let d = x.lastDimension
  precondition(x.rank > 0 && d > 0, "largestInRows: \(x.shape) has empty rows")
  return Tensor(shape: Array(x.shape.dropLast())) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(x.count / d, grain: max(1, elementGrain / d)) { rows in
        for row in rows {
          let from = source + row * d
          var largest = from[0]
          for k in 1..<d where from[k] > largest { largest = from[k] }
          destination[row] = largest
        }
      }
    }
  }
}

/// One number added to all of each vector of the last axis.
///
/// - Shapes: `x` [..., D], `numbers` [...] → [..., D].
public func addingToRows(_ x: Tensor, _ numbers: Tensor) -> Tensor {
  precondition(
    numbers.shape == Array(x.shape.dropLast()) && !x.isTracked && !numbers.isTracked,
    "addingToRows: \(x.shape) and \(numbers.shape)")
  let d = x.lastDimension
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    x.withUnsafePointer { source in
      numbers.withUnsafePointer { numbers in
        Parallel.forRanges(x.count / d, grain: max(1, elementGrain / d)) { rows in
          for row in rows {
            let (from, to, number) = (source + row * d, destination + row * d, numbers[row])
            for k in 0..<d { to[k] = from[k] + number }
          }
        }
      }
    }
  }
}
