import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("Depthwise convolution, linear attention, fused activations against plain loops")
struct DepthwiseTests {
  @Test(arguments: KernelLevel.available)
  func depthwiseConvolutionMatchesThePlainOne(level: KernelLevel) {
    var random = SeededGenerator(seed: 61)
    let sizes = [(1, 1), (3, 5), (11, 12), (12, 13), (17, 24), (33, 7), (16, 37), (40, 25)]
    for kernel in [1, 3, 7, 9] {
      for c in tailSizes {
        let weight = random.tensor([c, 1, kernel, kernel])
        let bias = random.tensor([c])
        for (h, w) in sizes {
          let x = random.tensor([2, h, w, c], mean: 0.5)
          let found = level.scoped { depthwiseConvolution(x, DepthwiseWeights(weight, bias: bias)) }
          let expected = Self.plainDepthwise(x, weight, bias)
          let difference = Difference(found, expected).ofRange
          #expect(difference < 1e-6, "\(level) \(h)×\(w)×\(c), kernel \(kernel): \(difference)")
        }
      }
    }
  }

  @Test func aBandOfADepthwiseConvolutionDoesNotDependOnTheCutOrTheThreads() {
    var random = SeededGenerator(seed: 62)
    let x = random.tensor([3, 50, 21, 150])
    let weights = DepthwiseWeights(random.tensor([150, 1, 7, 7]), bias: random.tensor([150]))
    let whole = depthwiseConvolution(x, weights)
    let threads = Parallel.threadCount
    defer { Parallel.threadCount = threads }
    for count in [1, 3] {
      Parallel.threadCount = count
      #expect(depthwiseConvolution(x, weights).values == whole.values)
    }
    let alone = depthwiseConvolution(x.rows(1..<2), weights)
    #expect(alone.values == whole.rows(1..<2).values)
  }

  @Test(arguments: KernelLevel.available)
  func linearAttentionMatchesThePlainOne(level: KernelLevel) {
    var random = SeededGenerator(seed: 63)
    for (heads, width) in [(1, 1), (4, 3), (4, 8), (2, 16), (4, 32), (3, 21)] {
      for samples in [1, 2, 9] {
        let shape = [samples, 3, 7, heads * width]
        let (queries, keys) = (random.tensor(shape, mean: 1.1), random.tensor(shape, mean: 1.1))
        let (values, residual) = (random.tensor(shape), random.tensor(shape))
        let found = level.scoped {
          let sums = linearAttentionSums(keys: keys, values: values, heads: heads)
          return linearAttention(
            queries: queries, sums: sums, heads: heads, epsilon: 1e-6, adding: residual)
        }
        let expected = Self.plainAttention(queries, keys, values, residual, heads: heads)
        let difference = Difference(found, expected).ofRange
        #expect(difference < 2e-6, "\(level) \(heads) × \(width), \(samples): \(difference)")
      }
    }
  }

  @Test(arguments: KernelLevel.available)
  func sumsOfPartsAreThoseOfAllAtOnce(level: KernelLevel) {
    var random = SeededGenerator(seed: 64)
    for width in [3, 8, 32] {
      let (keys, values) = (random.tensor([7, 40, 4 * width]), random.tensor([7, 40, 4 * width]))
      level.scoped {
        let whole = linearAttentionSums(keys: keys, values: values, heads: 4)
        var sums: Tensor?
        for part in [0..<1, 1..<4, 4..<7] {
          sums = linearAttentionSums(
            keys: keys.rows(part), values: values.rows(part), heads: 4, adding: sums)
        }
        #expect(sums?.values == whole.values)
      }
    }
  }

  @Test(arguments: KernelLevel.available)
  func fusedActivationsAreThoseBehindAProduct(level: KernelLevel) {
    var random = SeededGenerator(seed: 65)
    for (h, w, inputs, outputs) in [(5, 9, 16, 37), (4, 3, 7, 16), (1, 1, 3, 1), (9, 17, 32, 48)] {
      let x = random.tensor([2, h, w, inputs])
      let kernel = random.tensor([outputs, inputs, 3, 3])
      let bias = random.tensor([outputs], scale: 4)
      let residual = random.tensor([1, h, w, outputs])
      level.scoped {
        let weights = PackedWeights(convolution: kernel)
        let both = joinedRows([residual, residual])
        let plain = convolution(x, weights, bias: bias, padding: Padding(1), adding: both)
        let expected: [FusedActivation: Tensor] = [
          .none: plain, .silu: silu(plain), .gelu: gelu(plain), .relu: relu(plain),
          .positiveELU: plain.mapped { $0 > 0 ? $0 + 1 : Float(exp(Double($0))) },
        ]
        for activation in FusedActivation.allCases {
          let found = convolution(
            x, weights, bias: bias, padding: Padding(1), adding: residual, then: activation)
          let difference = expected[activation].map { Difference(found, $0).ofRange } ?? .infinity
          let bound: Float = activation == .positiveELU ? 2e-7 : 1e-30
          #expect(difference < bound, "\(level) \(activation)")
        }
      }
    }
  }

  @Test func squaresAreAveraged() {
    let x = Tensor((0..<2 * 5 * 7 * 3).map { Float($0) }, shape: [2, 5, 7, 3])
    #expect(averagePooled(x, size: 1).values == x.values)
    let pooled = averagePooled(x, size: 2)
    #expect(pooled.shape == [2, 2, 3, 3])
    // The mean of a square of a slope is that of its corners: half a row and half a column on.
    let expected = (0..<2 * 2 * 3 * 3).map { index in
      let (k, column, row, sample) = (index % 3, index / 3 % 3, index / 9 % 2, index / 18)
      return Float(((sample * 5 + 2 * row) * 7 + 2 * column) * 3 + k) + 1.5 + 10.5
    }
    #expect(pooled.values == expected)
  }

  private static func plainDepthwise(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    let (n, h, w, c) = x.dimensions4("reference")
    let k = weight.lastDimension
    let (xs, ws, bs) = (x.values, weight.values, bias.values)
    return Tensor(shape: x.shape) { out in
      for s in 0..<n {
        for y in 0..<h {
          for column in 0..<w {
            for channel in 0..<c {
              var sum = Double(bs[channel])
              for ky in 0..<k where 0..<h ~= y + ky - k / 2 {
                for kx in 0..<k where 0..<w ~= column + kx - k / 2 {
                  let from = ((s * h + y + ky - k / 2) * w + column + kx - k / 2) * c + channel
                  sum += Double(xs[from]) * Double(ws[(channel * k + ky) * k + kx])
                }
              }
              out[((s * h + y) * w + column) * c + channel] = Float(sum)
            }
          }
        }
      }
    }
  }

  private static func plainAttention(
    _ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ residual: Tensor, heads: Int
  ) -> Tensor {
    let (samples, c) = (queries.shape[0], queries.lastDimension)
    let (step, width) = (queries.count / samples, c / heads)
    let (q, k, v, r) = (queries.values, keys.values, values.values, residual.values)
    return Tensor(shape: queries.shape) { out in
      for sample in 0..<samples {
        for place in stride(from: 0, to: step, by: width) {
          var (sum, total) = ([Double](repeating: 0, count: width), 1e-6)
          for other in 0..<samples {
            let weight = (0..<width).reduce(0.0) {
              $0 + Double(q[sample * step + place + $1]) * Double(k[other * step + place + $1])
            }
            total += weight
            for j in 0..<width { sum[j] += weight * Double(v[other * step + place + j]) }
          }
          for j in 0..<width {
            let at = sample * step + place + j
            out[at] = Float(Double(r[at]) + sum[j] / total)
          }
        }
      }
    }
  }
}
