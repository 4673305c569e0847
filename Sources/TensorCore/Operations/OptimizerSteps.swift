import CKernels
import Foundation

/// The numbers of one step of AdamW that are the same for every weight.
public struct AdamCoefficients: Sendable {
  fileprivate let raw: ck_adam

  /// Corrects the averages for their start at zero.
  ///
  /// - Parameters:
  ///   - step: of the optimiser, from 1.
  ///   - learningRate: how far a weight moves.
  ///   - weightDecay: the share of the learning rate that weights shrink by.
  ///   - beta1: what is kept of the average gradient.
  ///   - beta2: what is kept of the average squared gradient.
  ///   - epsilon: added to the root of the latter.
  public init(
    step: Int, learningRate: Double, weightDecay: Double, beta1: Double, beta2: Double,
    epsilon: Double
  ) {
    precondition(step >= 1, "AdamW: step \(step) is not from 1")
    raw = ck_adam(
      decay: Float(learningRate * weightDecay), mean_rate: Float(1 - beta1),
      square_keep: Float(beta2), square_rate: Float(1 - beta2), epsilon: Float(epsilon),
      step_size: Float(learningRate / (1 - pow(beta1, Double(step)))),
      root_correction: Float(1 / (1 - pow(beta2, Double(step))).squareRoot()))
  }
}

/// A weight and its two averages after one step of AdamW.
///
/// - Shapes: all the same.
/// - Parameters:
///   - weight: before the step.
///   - mean: the average gradient.
///   - square: the average squared gradient.
///   - gradient: of the loss.
///   - factor: the gradient is multiplied by it first (clipping).
///   - coefficients: of the step.
/// - Returns: w − η λ w − η m̂ / (√v̂ + ε), and the new averages; m̂ and v̂ are corrected for their start at zero.
/// - Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019); `torch.optim.AdamW`.
public func adamStep(
  weight: Tensor, mean: Tensor, square: Tensor, gradient: Tensor, factor: Float,
  _ coefficients: AdamCoefficients
) -> (weight: Tensor, mean: Tensor, square: Tensor) {
  let count = weight.count
  precondition(
    mean.shape == weight.shape && square.shape == weight.shape && gradient.shape == weight.shape,
    "AdamW: weight \(weight.shape), averages \(mean.shape), \(square.shape), gradient \(gradient.shape)"
  )
  var results: [Tensor] = []
  // The three are made together, the outer two around the inner one's filling.
  let newWeight = Tensor(shape: weight.shape) { newWeight in
    let newMean = Tensor(shape: weight.shape) { newMean in
      let newSquare = Tensor(shape: weight.shape) { newSquare in
        guard let w = newWeight.baseAddress, let m = newMean.baseAddress,
          let v = newSquare.baseAddress
        else { return }
        weight.withUnsafePointer { weight in
          mean.withUnsafePointer { mean in
            square.withUnsafePointer { square in
              gradient.withUnsafePointer { gradient in
                Parallel.forRanges(count, grain: elementGrain) { range in
                  let i = range.lowerBound
                  var raw = coefficients.raw
                  ck_adam_update(
                    &raw, gradient + i, factor, range.count, weight + i, mean + i, square + i,
                    w + i, m + i, v + i)
                }
              }
            }
          }
        }
      }
      results.append(newSquare)
    }
    results.append(newMean)
  }
  return (newWeight, results[1], results[0])
}

extension Tensor {
  /// The sum of the squares of all elements, in double precision.
  public var sumOfSquares: Double {
    withUnsafePointer { x in
      blockedSum(count) { ck_sum_of_squares(x + $0.lowerBound, $0.count) }
    }
  }
}
