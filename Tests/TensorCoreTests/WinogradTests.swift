import TensorCore
import TestSupport
import Testing

@Suite("3×3 convolutions by tiles against the plain reference, at every level")
struct WinogradTests {
  /// Channels and widths for which tiles are taken, with maps that tiles do not divide and outputs that panels do not.
  @Test(arguments: KernelLevel.available)
  func tilesMatchTheReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 61)
    var worst: Float = 0
    for _ in 0..<40 {
      let (n, h, w) = (
        random.choose([1, 2, 3]), random.choose([1, 2, 4, 5, 9, 16]),
        random.choose([8, 9, 10, 11, 19])
      )
      let (inputs, outputs) = (
        random.choose([16, 48, 64, 80, 144]), random.choose([1, 3, 16, 17, 32, 33, 65, 150])
      )
      let upsampling = random.next() % 3 == 0
      let padding = random.choose([
        Padding(1), Padding(2), Padding(top: 2, bottom: 0, left: 0, right: 1),
      ])
      let x = random.tensor([n, h, w, inputs])
      let weights = random.tensor([outputs, inputs, 3, 3])
      let bias = random.next() % 2 == 0 ? random.tensor([outputs]) : nil
      let shift = random.next() % 2 == 0 ? random.tensor([n, outputs]) : nil
      let plain = Reference.convolution(
        x, weights, bias: bias, padding: padding, upsampling: upsampling, shift: shift)
      let residual = random.next() % 2 == 0 ? random.tensor(plain.shape) : nil
      let found = level.scoped {
        convolution(
          x, PackedWeights(convolution: weights), bias: bias, padding: padding,
          upsampling: upsampling, shift: shift, adding: residual)
      }
      let difference = Difference(found, residual.map { plain + $0 } ?? plain).ofRange
      #expect(difference < 2e-6, "\(level) \(x.shape) \(padding) → \(outputs)")
      worst = max(worst, difference)
    }
    print("convolution by tiles \(level): worst difference / range \(worst)")
  }

  @Test(arguments: KernelLevel.available)
  func aDeepMapOfManyTilesMatchesTheReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 62)
    let (x, weights) = (random.tensor([1, 34, 30, 320]), random.tensor([20, 320, 3, 3]))
    let difference = Difference(
      level.scoped { convolution(x, PackedWeights(convolution: weights), padding: Padding(1)) },
      Reference.convolution(x, weights, padding: Padding(1))
    ).ofRange
    #expect(difference < 2e-6)
    print("convolution by tiles \(level), 320 channels: difference / range \(difference)")
  }

  /// Direct products of small whole numbers round nothing; the points of the tiles are no whole numbers.
  @Test(arguments: KernelLevel.available)
  func thePortableLevelAndTrackedWeightsStayDirect(level: KernelLevel) {
    var random = SeededGenerator(seed: 63)
    let (x, weights) = (random.wholeNumbers([1, 12, 9, 32]), random.wholeNumbers([40, 32, 3, 3]))
    let plain = Reference.convolution(x, weights, padding: Padding(1)).values
    level.scoped {
      let found = convolution(x, PackedWeights(convolution: weights), padding: Padding(1))
      #expect((found.values == plain) == (level == .portable), "\(level)")
      let tracked = PackedWeights(convolution: weights.tracked())
      #expect(convolution(x, tracked, padding: Padding(1)).values == plain, "\(level)")
    }
  }

  @Test(arguments: KernelLevel.available)
  func aTileDoesNotDependOnItsBatch(level: KernelLevel) {
    var random = SeededGenerator(seed: 64)
    let x = random.tensor([3, 33, 31, 80])
    let weights = level.scoped { PackedWeights(convolution: random.tensor([150, 80, 3, 3])) }
    func pass(_ x: Tensor) -> Tensor { convolution(x, weights, padding: Padding(1)) }
    let all = pass(x)
    for sample in 0..<3 {
      let alone = pass(x.rows(sample..<sample + 1))
      #expect(alone.values == all.rows(sample..<sample + 1).values, "\(level) \(sample)")
    }
  }

  /// A band with the rows that the kernel reaches beyond it, as the autoencoder cuts its maps.
  @Test(arguments: KernelLevel.available, [false, true])
  func aBandOfWholeTilesHasTheBytesOfTheMap(level: KernelLevel, upsampling: Bool) {
    var random = SeededGenerator(seed: 65)
    let (height, width, channels, outputs) = (22, 11, 48, 33)
    let map = random.tensor([height, width, channels])
    let weights = level.scoped {
      PackedWeights(convolution: random.tensor([outputs, channels, 3, 3]))
    }
    func pass(_ rows: Tensor, _ padding: Padding) -> Tensor {
      let y = convolution(
        rows.reshaped([1] + rows.shape), weights, padding: padding, upsampling: upsampling)
      return y.reshaped(Array(y.shape.dropFirst()))
    }
    let (whole, scale) = (pass(map, Padding(1)), upsampling ? 2 : 1)
    let inside = upsampling ? -1 : 0
    for (first, last) in [(0, 8), (8, 12), (4, 20), (12, 22)] {
      #expect(first % convolutionRowsTogether == 0)
      let rows = map.rows(max(0, first - 1)..<min(height, last + 1))
      let padding = Padding(
        top: first == 0 ? 1 : inside, bottom: last == height ? 1 : inside, left: 1, right: 1)
      #expect(
        pass(rows, padding).values == whole.rows(scale * first..<scale * last).values,
        "\(level) \(first) to \(last)")
    }
  }

  @Test(arguments: KernelLevel.available, [ElementType.float16, .bfloat16])
  func kernelsKeptIn16BitsGiveTheBytesOfTheSameInFloat(level: KernelLevel, type: ElementType) {
    guard !level.multipliesBFloat16 else { return }
    var random = SeededGenerator(seed: 66)
    // Eighths up to 1 are exact in either type.
    let weights = 0.125 * random.wholeNumbers([33, 32, 3, 3])
    let x = random.tensor([2, 9, 13, 32])
    level.scoped {
      let exact = PackedWeights(convolution: weights, storedAs: type, precision: .exact)
      let kept = PackedWeights(convolution: weights, storedAs: type, precision: .default)
      #expect(kept.byteCount * 2 == exact.byteCount)
      #expect(
        convolution(x, kept, padding: Padding(1)).values
          == convolution(x, exact, padding: Padding(1)).values, "\(level)")
    }
  }
}

extension SeededGenerator {
  /// Whole numbers from −8 to 8.
  fileprivate mutating func wholeNumbers(_ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Float(Int(next() % 17) - 8) }, shape: shape)
  }
}
