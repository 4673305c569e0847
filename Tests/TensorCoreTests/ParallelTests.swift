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

  @Test func gradientsDoNotDependOnTheThreadCount() throws {
    var random = SeededGenerator(seed: 32)
    let x = random.tensor([2, 33, 31, 24]).tracked()
    let kernel = random.tensor([32, 24, 3, 3]).tracked()
    let strided = random.tensor([32, 32, 3, 3]).tracked()
    let (scale, shift) = (random.tensor([32]).tracked(), random.tensor([32]).tracked())
    let matrix = random.tensor([320, 32]).tracked()
    let leaves = [x, kernel, strided, scale, shift, matrix]
    func pass() throws -> [[Float]] {
      let y = convolution(x, PackedWeights(convolution: kernel), padding: Padding(1))
      let z = relu(batchNorm(y, scale: scale, shift: shift, epsilon: 1e-5).output)
      let s = convolution(z, PackedWeights(convolution: strided), stride: 2, padding: Padding(1))
      let n = groupNorm(s, groups: 4, scale: scale, shift: shift, epsilon: 1e-5, thenSiLU: true)
      let large = bilinearResized(n, height: 40, width: 40).reshaped([2, 1600, 32])
      let tokens = layerNorm(large, scale: scale, shift: shift, epsilon: 1e-5)
      let mixed = attention(
        queries: tokens.reshaped([2, 1600, 32]), keys: n.reshaped([2, 17 * 16, 32]),
        values: n.reshaped([2, 17 * 16, 32]), heads: 4)
      let planes = linear(mixed, PackedWeights(linear: matrix)).reshaped([320, 3200])
      let targets = Tensor.zeros(planes.shape)
      let loss =
        binaryCrossEntropy(planes, targets: targets) + diceLoss(planes, targets: targets)
      let gradients = loss.gradients()
      return try leaves.map { try #require(gradients[$0]).values } + [loss.values]
    }
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    var results: [[[Float]]] = []
    for threads in [1, 2, 3] {
      Parallel.threadCount = threads
      results.append(try pass())
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
