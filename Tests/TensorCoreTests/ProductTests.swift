import TensorCore
import TestSupport
import Testing

@Suite("Matrix products against the plain reference, at every level")
struct ProductTests {
  @Test(arguments: KernelLevel.available)
  func linearMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 1)
    var worst: Float = 0
    for _ in 0..<120 {
      let rows = random.choose(tailSizes + [200, 337])
      let inputs = random.choose(tailSizes + [255, 256, 257, 600])
      let outputs = random.choose(tailSizes + [96, 353])
      let x = random.tensor([rows, inputs])
      let w = random.tensor([outputs, inputs])
      let bias = random.next() % 2 == 0 ? random.tensor([outputs]) : nil
      let residual = random.next() % 2 == 0 ? random.tensor([rows, outputs]) : nil
      let found = level.scoped {
        linear(x, PackedWeights(linear: w), bias: bias, adding: residual)
      }
      let difference = Difference(
        found, Reference.linear(x, w, bias: bias, adding: residual)
      ).ofRange
      #expect(difference < 2e-6, "\(level) [\(rows), \(inputs)] → \(outputs)")
      worst = max(worst, difference)
    }
    print("linear \(level): worst difference / range \(worst)")
  }

  @Test(arguments: KernelLevel.available)
  func convolutionMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 2)
    var worst: Float = 0
    for _ in 0..<60 {
      let (n, h, w) = (
        random.choose([1, 2, 3]), random.choose([3, 4, 5, 9, 16]), random.choose([3, 6, 7, 13])
      )
      let (inputs, outputs) = (
        random.choose([1, 3, 4, 16, 33, 64]), random.choose([1, 3, 4, 17, 32, 65])
      )
      let kernel = random.choose([1, 3])
      let stride = random.choose([1, 2])
      let padding =
        random.choose([0, 1]) == 0
        ? Padding(kernel / 2) : Padding(top: 0, bottom: 1, left: 0, right: 1)
      let upsampling = random.next() % 3 == 0
      let x = random.tensor([n, h, w, inputs])
      let weights = random.tensor([outputs, inputs, kernel, kernel])
      let bias = random.tensor([outputs])
      let shift = random.next() % 2 == 0 ? random.tensor([n, outputs]) : nil
      let plain = Reference.convolution(
        x, weights, bias: bias, stride: stride, padding: padding, upsampling: upsampling,
        shift: shift)
      let residual = random.next() % 2 == 0 ? random.tensor(plain.shape) : nil
      let found = level.scoped {
        convolution(
          x, PackedWeights(convolution: weights), bias: bias, stride: stride, padding: padding,
          upsampling: upsampling, shift: shift, adding: residual)
      }
      let difference = Difference(found, residual.map { plain + $0 } ?? plain).ofRange
      #expect(difference < 2e-6, "\(level) \(x.shape) k\(kernel) s\(stride) → \(outputs)")
      worst = max(worst, difference)
    }
    print("convolution \(level): worst difference / range \(worst)")
  }

  @Test(arguments: KernelLevel.available)
  func aRowDoesNotDependOnTheRowsBesideIt(level: KernelLevel) {
    var random = SeededGenerator(seed: 3)
    for (inputs, outputs) in [(40, 33), (300, 64), (1024, 20), (5120, 32)] {
      let x = random.tensor([700, inputs])
      let weights = level.scoped { PackedWeights(linear: random.tensor([outputs, inputs])) }
      let all = linear(x, weights)
      for range in [0..<1, 5..<7, 699..<700, 100..<350] {
        #expect(
          linear(x.rows(range), weights).values == all.rows(range).values, "\(level) \(range)")
      }
    }
  }

  @Test func aSampleDoesNotDependOnItsBatch() {
    var random = SeededGenerator(seed: 4)
    let x = random.tensor([3, 12, 10, 40])
    let weights = PackedWeights(convolution: random.tensor([48, 40, 3, 3]))
    let all = convolution(x, weights, padding: Padding(1))
    for sample in 0..<3 {
      let alone = convolution(x.rows(sample..<sample + 1), weights, padding: Padding(1))
      #expect(alone.values == all.rows(sample..<sample + 1).values)
    }
  }

  @Test func convolutionIsLinearInInputAndWeights() {
    var random = SeededGenerator(seed: 5)
    let (a, b) = (random.tensor([1, 8, 8, 16]), random.tensor([1, 8, 8, 16]))
    let (v, w) = (random.tensor([8, 16, 3, 3]), random.tensor([8, 16, 3, 3]))
    func apply(_ x: Tensor, _ w: Tensor) -> Tensor {
      convolution(x, PackedWeights(convolution: w), padding: Padding(1))
    }
    #expect(Difference(apply(a + b, w), apply(a, w) + apply(b, w)).ofRange < 1e-5)
    #expect(Difference(apply(a, v + w), apply(a, v) + apply(a, w)).ofRange < 1e-5)
  }

  @Test func aWrongWidthTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = linear(.zeros([2, 5]), PackedWeights(linear: .zeros([3, 4])))
    }
  }
}
