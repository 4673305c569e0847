import TensorCore
import TestSupport
import Testing

@Suite("Attention, norms and activations against the plain reference, at every level")
struct OperationTests {
  @Test(arguments: KernelLevel.available)
  func attentionMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 11)
    var worst: Float = 0
    for round in 0..<40 {
      let heads = random.choose([1, 2, 5])
      let width = random.choose([1, 4, 16, 40, 64, 80, 33])
      let (n, t) = (random.choose([1, 2]), random.choose([1, 5, 77, 84, 85, 170]))
      let causal = round % 3 == 0
      let s = causal ? t : random.choose([1, 3, 77, 256, 257, 300, 520])
      let q = random.tensor([n, t, heads * width], scale: 3)
      let k = random.tensor([n, s, heads * width], scale: 3)
      let v = random.tensor([n, s, heads * width])
      let found = level.scoped {
        attention(queries: q, keys: k, values: v, heads: heads, causal: causal)
      }
      let expected = Reference.attention(
        queries: q, keys: k, values: v, heads: heads, causal: causal)
      let difference = Difference(found, expected).ofRange
      #expect(
        difference < 5e-6, "\(level) T \(t) S \(s) heads \(heads) × \(width) causal \(causal)")
      let average = level.scoped { averageAttention(queries: q, keys: k, heads: heads) }
      let plain = Reference.averageAttention(queries: q, keys: k, heads: heads)
      // Over one key all are 1, a reference without a range.
      let error = Difference(average, plain)
      #expect(
        s == 1 ? error.maximum < 1e-6 : error.ofRange < 5e-6, "\(level) average T \(t) S \(s)")
      worst = max(worst, difference)
    }
    print("attention \(level): worst difference / range \(worst)")
  }

  @Test func attentionSurvivesLargeScores() {
    var random = SeededGenerator(seed: 12)
    let q = random.tensor([1, 90, 32], scale: 60)
    let k = random.tensor([1, 600, 32], scale: 60)
    let v = random.tensor([1, 600, 32])
    let found = attention(queries: q, keys: k, values: v, heads: 1)
    #expect(
      Difference(found, Reference.attention(queries: q, keys: k, values: v, heads: 1)).ofRange
        < 1e-4)
  }

  @Test func attentionRowsSumToOne() {
    var random = SeededGenerator(seed: 13)
    let ones = Tensor(repeating: 1, shape: [2, 300, 24])
    let mixed = attention(
      queries: random.tensor([2, 100, 24], scale: 4),
      keys: random.tensor([2, 300, 24], scale: 4),
      values: ones, heads: 3)
    #expect(mixed.values.allSatisfy { abs($0 - 1) < 1e-5 })
  }

  @Test(arguments: KernelLevel.available)
  func groupNormMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 14)
    for (c, groups) in [(8, 8), (32, 8), (40, 4), (96, 32), (64, 1), (36, 12)] {
      for (h, w) in [(1, 1), (5, 7), (33, 31)] {
        let x = random.tensor([2, h, w, c], scale: 0.5, mean: 20)
        let (scale, shift) = (random.tensor([c]), random.tensor([c]))
        for silu in [false, true] {
          let found = level.scoped {
            groupNorm(x, groups: groups, scale: scale, shift: shift, epsilon: 1e-5, thenSiLU: silu)
          }
          let expected = Reference.groupNorm(
            x, groups: groups, scale: scale, shift: shift, epsilon: 1e-5, thenSiLU: silu)
          #expect(
            Difference(found, expected).ofRange < 2e-5, "\(level) \(c) in \(groups), \(h)×\(w)")
        }
      }
    }
  }

  @Test func groupNormForgetsScaleAndOffsetOfAGroup() {
    var random = SeededGenerator(seed: 15)
    let x = random.tensor([1, 16, 16, 32])
    let (one, zero) = (Tensor(repeating: 1, shape: [32]), Tensor.zeros([32]))
    func normal(_ x: Tensor) -> Tensor {
      groupNorm(x, groups: 4, scale: one, shift: zero, epsilon: 1e-12)
    }
    #expect(Difference(normal(x.mapped { 3 * $0 + 7 }), normal(x)).ofRange < 1e-5)
  }

  @Test(arguments: KernelLevel.available)
  func layerNormMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 16)
    for d in tailSizes + [320, 768] {
      let x = random.tensor([3, 11, d], scale: 2, mean: 5)
      let (scale, shift) = (random.tensor([d]), random.tensor([d]))
      let found = level.scoped { layerNorm(x, scale: scale, shift: shift, epsilon: 1e-5) }
      let expected = Reference.layerNorm(x, scale: scale, shift: shift, epsilon: 1e-5)
      #expect(Difference(found, expected).ofRange < 3e-5, "\(level) width \(d)")
    }
  }

  @Test(arguments: KernelLevel.available)
  func activationsMatchReference(level: KernelLevel) {
    let x = Tensor((-3000...3000).map { Float($0) / 100 }, shape: [6001])
    level.scoped {
      for (found, plain) in [
        (silu(x), x.mapped(Reference.silu)), (gelu(x), x.mapped(Reference.gelu)),
        (quickGELU(x), x.mapped(Reference.quickGELU)),
      ] {
        let worst =
          zip(found.values, plain.values).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
        #expect(worst < 4e-7, "\(level)")
      }
    }
  }

  @Test(arguments: KernelLevel.available)
  func gegluMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 17)
    for d in tailSizes {
      let x = random.tensor([5, 2 * d], scale: 4)
      let values = x.values
      let expected = Tensor(
        (0..<5 * d).map { i in
          let (row, k) = (i / d, i % d)
          return values[row * 2 * d + k] * Reference.gelu(values[row * 2 * d + d + k])
        }, shape: [5, d])
      #expect(Difference(level.scoped { geglu(x) }, expected).ofRange < 1e-6, "\(level) \(d)")
    }
  }

  @Test func extremeInputsStayFinite() {
    let x = Tensor([-3e38, -200, -88, 0, 88, 200, 3e38, -0.0], shape: [8])
    for y in [silu(x), gelu(x), quickGELU(x)] { #expect(y.isFinite) }
    #expect(silu(x).values[0] == 0 && silu(x).values[6] == 3e38)
  }
}
