import CKernels
import Foundation

/// The mean binary cross entropy between the sigmoids of logits and targets from 0 to 1: a scalar.
///
/// - Shapes: `logits`, `targets` and `weights` the same.
/// - Parameters:
///   - logits: before the sigmoid.
///   - targets: what they should be.
///   - weights: what each element counts, 0 to leave it out; all 1 where nil. The mean is still over all elements.
/// - Returns: mean of w · (max(x, 0) − x t + ln(1 + e^−|x|)).
/// - Precondition: there is an element.
/// - Gradient: w (sigmoid(x) − t) / count for the logits; targets and weights are constants.
/// - Source: `torch.nn.functional.binary_cross_entropy_with_logits`.
public func binaryCrossEntropy(
  _ logits: Tensor, targets: Tensor, weights: Tensor? = nil
) -> Tensor {
  precondition(
    targets.shape == logits.shape && weights?.shape ?? logits.shape == logits.shape
      && logits.count > 0,
    "binaryCrossEntropy: \(logits.shape), targets \(targets.shape), weights \(weights?.shape ?? [])"
  )
  let count = logits.count
  let (x, t, w) = (logits.untracked(), targets.untracked(), weights?.untracked())
  let total = withLossPointers(x, t, w) { x, t, w in
    blockedSum(count) { range in
      let first = range.lowerBound
      return ck_binary_cross_entropy(x + first, t + first, w.map { $0 + first }, range.count)
    }
  }
  let loss = Tensor([Float(total / Double(count))], shape: [])
  return loss.recorded("binaryCrossEntropy", from: [logits]) { gradient in
    let factor = gradient.scalarValue / Float(count)
    let slopes = Tensor(shape: x.shape) { out in
      guard let destination = out.baseAddress else { return }
      withLossPointers(x, t, w) { x, t, w in
        Parallel.forRanges(count, grain: elementGrain) { range in
          let first = range.lowerBound
          ck_binary_cross_entropy_gradient(
            x + first, t + first, w.map { $0 + first }, factor, range.count, destination + first)
        }
      }
    }
    return [slopes]
  }
}

private func withLossPointers<R>(
  _ x: Tensor, _ targets: Tensor, _ weights: Tensor?,
  _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?) -> R
) -> R {
  x.withUnsafePointer { x in
    targets.withUnsafePointer { targets in
      guard let weights else { return body(x, targets, nil) }
      return weights.withUnsafePointer { body(x, targets, $0) }
    }
  }
}

/// The mean dice loss of planes of logits against targets from 0 to 1: a scalar.
///
/// - Shapes: `logits` and `targets` [P, A]: P planes of A pixels; `weights` [P].
/// - Parameters:
///   - logits: before the sigmoid.
///   - targets: what they should be.
///   - weights: what each plane counts; all 1 where nil. The mean is still over all planes.
///   - smoothing: added above and below the fraction, so that an empty plane is no division by 0.
/// - Returns: mean over the planes of w · (1 − (2 Σ p t + s) / (Σ p + Σ t + s)), p = sigmoid(x).
/// - Precondition: there is a plane.
/// - Gradient: with D the denominator and F the fraction, w (F − 2 t) / D · p (1 − p) / P for the logits.
/// - Source: Milletari, Navab and Ahmadi, "V-Net" (2016), with Σ p for Σ p², as MaskFormer takes it.
public func diceLoss(
  _ logits: Tensor, targets: Tensor, weights: Tensor? = nil, smoothing: Float = 1
) -> Tensor {
  precondition(
    logits.rank == 2 && targets.shape == logits.shape && logits.count > 0
      && weights?.shape ?? [logits.shape[0]] == [logits.shape[0]],
    "diceLoss: \(logits.shape), targets \(targets.shape), weights \(weights?.shape ?? [])")
  let (planes, area) = (logits.shape[0], logits.shape[1])
  let (x, t) = (logits.untracked(), targets.untracked())
  let counts = weights?.values.map(Double.init) ?? Array(repeating: 1, count: planes)
  let sums = overlapSums(x, t, planes: planes)
  let overlaps = (0..<planes).map { plane in
    let denominator = sums[3 * plane + 1] + sums[3 * plane + 2] + Double(smoothing)
    return (
      value: (2 * sums[3 * plane] + Double(smoothing)) / denominator, denominator: denominator
    )
  }
  let total = (0..<planes).reduce(0.0) { $0 + counts[$1] * (1 - overlaps[$1].value) }
  let loss = Tensor([Float(total / Double(planes))], shape: [])
  return loss.recorded("diceLoss", from: [logits]) { gradient in
    let slopes = Tensor(shape: x.shape) { out in
      guard let destination = out.baseAddress else { return }
      x.withUnsafePointer { x in
        t.withUnsafePointer { t in
          Parallel.forEach(planes) { plane, _ in
            let (value, denominator) = overlaps[plane]
            let factor = Double(gradient.scalarValue) * counts[plane] / Double(planes) / denominator
            let first = plane * area
            ck_overlap_gradient(
              x + first, t + first, Float(-2 * factor), Float(factor * value), area,
              destination + first)
          }
        }
      }
    }
    return [slopes]
  }
}

/// Σ p t, Σ p and Σ t of each plane.
private func overlapSums(_ x: Tensor, _ targets: Tensor, planes: Int) -> [Double] {
  let area = x.count / planes
  return withPooledDoubles(3 * planes) { sums in
    x.withUnsafePointer { x in
      targets.withUnsafePointer { t in
        Parallel.forEach(planes) { plane, _ in
          ck_overlap_sums(x + plane * area, t + plane * area, area, sums + 3 * plane)
        }
      }
    }
    return Array(UnsafeBufferPointer(start: sums, count: 3 * planes))
  }
}

/// The mean cross entropy between the softmax of logits and class numbers: a scalar.
///
/// - Shapes: `logits` [..., K], one class a row.
/// - Parameters:
///   - logits: before the softmax.
///   - classes: the class of each row.
///   - ignored: rows of this class count for nothing (255 in masks).
/// - Returns: mean over the other rows of ln Σ e^x − x at the class; 0 where there are none.
/// - Precondition: every class is `ignored` or in 0..<K.
/// - Gradient: (softmax(x) − 1 at the class) / rows that count.
/// - Source: `torch.nn.functional.cross_entropy` with `ignore_index`; PyTorch gives NaN where no row counts.
public func crossEntropy(_ logits: Tensor, classes: [Int], ignored: Int = 255) -> Tensor {
  let k = logits.lastDimension
  precondition(
    k > 0 && classes.count == logits.count / k && logits.rank >= 1,
    "crossEntropy: \(logits.shape), \(classes.count) classes")
  let probabilities = softmax(logits.untracked())
  var (total, counted) = (0.0, 0)
  logits.withUnsafeBuffer { x in
    for (row, number) in classes.enumerated() where number != ignored {
      precondition(number >= 0 && number < k, "crossEntropy: class \(number) outside 0..<\(k)")
      let own = x[row * k..<(row + 1) * k]
      let largest = Double(own.max() ?? 0)
      let sum = own.reduce(0.0) { $0 + exp(Double($1) - largest) }
      total += log(sum) + largest - Double(x[row * k + number])
      counted += 1
    }
  }
  let count = max(counted, 1)
  let loss = Tensor([Float(total / Double(count))], shape: [])
  guard logits.isTracked else { return loss }
  return loss.recorded("crossEntropy", from: [logits]) { gradient in
    let factor = gradient.scalarValue / Float(count)
    let slopes = probabilities.withUnsafeBuffer { p in
      Tensor(shape: probabilities.shape) { out in
        for (row, number) in classes.enumerated() {
          for column in row * k..<(row + 1) * k {
            out[column] = number == ignored ? 0 : factor * p[column]
          }
          if number != ignored { out[row * k + number] -= factor }
        }
      }
    }
    return [slopes]
  }
}
