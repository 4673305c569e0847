import TensorCore
import TestSupport
import Testing

@Suite("Threads", .serialized)
struct ParallelTests {
  @Test func resultsDoNotDependOnTheThreadCount() {
    var random = SeededGenerator(seed: 31)
    let x = random.tensor([2, 33, 31, 64])
    let convolutionWeights = PackedWeights(convolution: random.tensor([96, 64, 3, 3]))
    let (scale, shift) = (random.tensor([96]), random.tensor([96]))
    func pass() -> [Float] {
      let y = convolution(x, convolutionWeights, padding: Padding(1))
      let z = groupNorm(y, groups: 8, scale: scale, shift: shift, epsilon: 1e-5, thenSiLU: true)
      let tokens = z.reshaped([2, 33 * 31, 96])
      return attention(queries: tokens, keys: tokens, values: tokens, heads: 3).values
    }
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    var results: [[Float]] = []
    for threads in [1, 2, 3, 5] {
      Parallel.threadCount = threads
      results.append(pass())
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }

  @Test func manySmallJobsFinish() {
    let x = Tensor(repeating: 1, shape: [1, 8, 64, 64])
    var total: Float = 0
    for _ in 0..<3000 { total += silu(x).values[5] }
    #expect(abs(total / 3000 - 0.731_058_6) < 1e-4)
  }
}
