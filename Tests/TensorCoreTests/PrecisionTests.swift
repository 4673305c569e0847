import TensorCore
import TestSupport
import Testing

/// Finite numbers of half precision, in the order of their bits.
private let finiteHalves: [Float] = {
  let bits = (0...UInt16.max).filter { $0 & 0x7c00 != 0x7c00 }
  var values = [Float](repeating: 0, count: bits.count)
  bits.withUnsafeBytes { source in
    values.withUnsafeMutableBufferPointer { out in
      guard let from = source.baseAddress, let to = out.baseAddress else { return }
      HalfPrecision.widenHalf(from, to: to, count: bits.count)
    }
  }
  return values
}()

/// The bfloat16 number nearest to `value`, of two equally near the one with an even last bit; plainly, in double
/// precision.
private func nearestBFloat16(_ value: Float) -> Float {
  let below = Float(bitPattern: value.bitPattern & 0xffff_0000)
  let above = Float(bitPattern: (value.bitPattern & 0xffff_0000) + 0x1_0000)
  let (down, up) = (
    (Double(value) - Double(below)).magnitude, (Double(above) - Double(value)).magnitude
  )
  if down != up { return down < up ? below : above }
  return below.bitPattern & 0x1_0000 == 0 ? below : above
}

@Suite("Weights of 16 bits")
struct StoredPrecisionTests {
  @Test func everyHalfRoundsToTheNearestBFloat16() {
    var narrow = [UInt16](repeating: 0, count: finiteHalves.count)
    narrow.withUnsafeMutableBytes { out in
      guard let to = out.baseAddress else { return }
      HalfPrecision.narrowToBFloat16(finiteHalves, to: to, count: finiteHalves.count)
    }
    let wrong = zip(finiteHalves, narrow).filter {
      nearestBFloat16($0).bitPattern != UInt32($1) << 16
    }
    #expect(finiteHalves.count == 63_488 && wrong.isEmpty, "\(wrong.prefix(3))")
  }

  /// Each number as the only weight of an output: what comes out is the number as the product read it.
  @Test(arguments: KernelLevel.available)
  func everyHalfIsReadAsItIsStored(level: KernelLevel) {
    let weight = Tensor(finiteHalves, shape: [finiteHalves.count, 1])
    let found = level.scoped {
      linear(
        Tensor(repeating: 1, shape: [1, 1]),
        PackedWeights(linear: weight, storedAs: .float16, precision: .default))
    }
    // Numbers below the smallest normal float of bfloat16 products do not occur: half precision ends far above.
    let expected = level.multipliesBFloat16 ? finiteHalves.map(nearestBFloat16) : finiteHalves
    #expect(found.values == expected)
  }

  @Test(arguments: KernelLevel.available, [ElementType.float16, .bfloat16])
  func sixteenBitsStaySo(level: KernelLevel, type: ElementType) {
    var random = SeededGenerator(seed: 51)
    let stored = random.tensor([70, 65, 3, 3]).rounded(to: type)
    let x = random.tensor([2, 9, 7, 65])
    level.scoped {
      let exact = PackedWeights(convolution: stored, storedAs: type, precision: .exact)
      let kept = PackedWeights(convolution: stored, storedAs: type, precision: .default)
      #expect(exact.elementByteCount == 4 && kept.elementByteCount == 2)
      if !level.multipliesBFloat16 {
        #expect(kept.byteCount * 2 == exact.byteCount)
        let found = convolution(x, kept, padding: Padding(1))
        #expect(found.values == convolution(x, exact, padding: Padding(1)).values, "\(level)")
      }
      let single = PackedWeights(convolution: stored, precision: .default)
      #expect(single.elementByteCount == (level.multipliesBFloat16 ? 2 : 4))
    }
  }

  @Test(arguments: KernelLevel.available)
  func exactBytesAreThoseOfTheFloatLevel(level: KernelLevel) {
    var random = SeededGenerator(seed: 52)
    let (x, w) = (random.tensor([2, 10, 9, 40]), random.tensor([72, 40, 3, 3]))
    func pass(_ level: KernelLevel) -> [Float] {
      level.scoped {
        let y = convolution(x, PackedWeights(convolution: w), padding: Padding(1))
        let tokens = y.reshaped([2, 90, 72])
        return attention(queries: tokens, keys: tokens, values: tokens, heads: 3).values
      }
    }
    #expect(pass(level) == pass(level.floatLevel))
  }
}

extension Tensor {
  /// The elements rounded to a type of 16 bits.
  fileprivate func rounded(to type: ElementType) -> Tensor {
    var narrow = [UInt16](repeating: 0, count: count)
    let values = values
    return Tensor(shape: shape) { out in
      narrow.withUnsafeMutableBytes { bytes in
        guard let place = bytes.baseAddress, let destination = out.baseAddress else { return }
        if type == .float16 {
          HalfPrecision.narrowToHalf(values, to: place, count: values.count)
          HalfPrecision.widenHalf(place, to: destination, count: values.count)
        } else {
          HalfPrecision.narrowToBFloat16(values, to: place, count: values.count)
          HalfPrecision.widenBFloat16(place, to: destination, count: values.count)
        }
      }
    }
  }
}

@Suite(
  "bfloat16 products of vectors",
  .enabled(if: KernelLevel.avx512bf16.isAvailable, "this processor has no AVX512-BF16"))
struct VectorPrecisionTests {
  private let checks = BFloat16Checks(level: .avx512bf16)

  @Test func linearMatchesReference() { checks.linearMatchesReference() }
  @Test func convolutionMatchesReference() { checks.convolutionMatchesReference() }
  @Test func attentionMatchesReference() { checks.attentionMatchesReference() }
  @Test func bytesDependOnNothingElse() { checks.bytesDependOnNothingElse() }
}

@Suite(
  "bfloat16 products of tiles",
  .enabled(if: KernelLevel.amx.isAvailable, "this machine has no AMX tiles, or does not allow them")
)
struct TilePrecisionTests {
  private let checks = BFloat16Checks(level: .amx)

  @Test func linearMatchesReference() { checks.linearMatchesReference() }
  @Test func convolutionMatchesReference() { checks.convolutionMatchesReference() }
  @Test func attentionMatchesReference() { checks.attentionMatchesReference() }
  @Test func bytesDependOnNothingElse() { checks.bytesDependOnNothingElse() }
}

/// What holds at every level that multiplies in bfloat16.
private struct BFloat16Checks {
  let level: KernelLevel

  func linearMatchesReference() {
    var random = SeededGenerator(seed: 61)
    var worst: Float = 0
    for _ in 0..<60 {
      let rows = random.choose(tailSizes + [200, 337, 600])
      let inputs = random.choose(tailSizes + [255, 320, 600, 1100])
      let outputs = random.choose(tailSizes + [96, 353])
      let (x, w) = (random.tensor([rows, inputs]), random.tensor([outputs, inputs]))
      let bias = random.next() % 2 == 0 ? random.tensor([outputs]) : nil
      let residual = random.next() % 2 == 0 ? random.tensor([rows, outputs]) : nil
      let found = level.scoped {
        linear(x, PackedWeights(linear: w, precision: .default), bias: bias, adding: residual)
      }
      let expected = Reference.linear(
        x.rounded(to: .bfloat16), w.rounded(to: .bfloat16), bias: bias, adding: residual)
      let difference = Difference(found, expected).ofRange
      #expect(difference < 4e-6, "\(level) [\(rows), \(inputs)] → \(outputs)")
      worst = max(worst, difference)
    }
    print("bfloat16 linear \(level): worst difference / range \(worst)")
  }

  func convolutionMatchesReference() {
    var random = SeededGenerator(seed: 62)
    var worst: Float = 0
    for _ in 0..<60 {
      let n = random.choose([1, 2, 3])
      let (h, w) = (random.choose([3, 5, 8, 9, 16]), random.choose([3, 8, 13, 16, 17]))
      let inputs = random.choose([1, 4, 33, 64, 100])
      let outputs = random.choose([1, 4, 17, 32, 65])
      let (kernel, stride) = (random.choose([1, 3]), random.choose([1, 2]))
      let padding =
        random.choose([0, 1]) == 0
        ? Padding(kernel / 2) : Padding(top: 0, bottom: 1, left: 0, right: 1)
      let upsampling = random.next() % 3 == 0
      let (x, weights) = (
        random.tensor([n, h, w, inputs]), random.tensor([outputs, inputs, kernel, kernel])
      )
      let bias = random.tensor([outputs])
      let shift = random.next() % 2 == 0 ? random.tensor([n, outputs]) : nil
      let plain = Reference.convolution(
        x.rounded(to: .bfloat16), weights.rounded(to: .bfloat16), bias: bias, stride: stride,
        padding: padding, upsampling: upsampling, shift: shift)
      let residual = random.next() % 2 == 0 ? random.tensor(plain.shape) : nil
      let found = level.scoped {
        convolution(
          x, PackedWeights(convolution: weights, precision: .default), bias: bias,
          stride: stride, padding: padding, upsampling: upsampling, shift: shift,
          adding: residual)
      }
      let difference = Difference(found, residual.map { plain + $0 } ?? plain).ofRange
      #expect(difference < 4e-6, "\(level) \(x.shape) k\(kernel) s\(stride) → \(outputs)")
      worst = max(worst, difference)
    }
    print("bfloat16 convolution \(level): worst difference / range \(worst)")
  }

  /// Against the reference on rounded queries, keys and values: what is left is the rounding of the weights, half a
  /// unit in their eighth bit each.
  func attentionMatchesReference() {
    var random = SeededGenerator(seed: 63)
    var worst: Float = 0
    for _ in 0..<30 {
      let (heads, width) = (random.choose([1, 2, 5]), random.choose([4, 16, 33, 40, 80, 160]))
      let (n, t) = (random.choose([1, 2]), random.choose([1, 5, 63, 64, 65, 170]))
      let s = random.choose([1, 3, 31, 77, 256, 257, 300, 520])
      let (q, k, v) = (
        random.tensor([n, t, heads * width], scale: 3),
        random.tensor([n, s, heads * width], scale: 3), random.tensor([n, s, heads * width])
      )
      let found = level.scoped {
        Precision.default.scoped { attention(queries: q, keys: k, values: v, heads: heads) }
      }
      let expected = Reference.attention(
        queries: q.rounded(to: .bfloat16), keys: k.rounded(to: .bfloat16),
        values: v.rounded(to: .bfloat16), heads: heads)
      let difference = Difference(found, expected).maximum
      // Values lie in [-1, 1).
      #expect(difference < 1.0 / 256, "\(level) T \(t) S \(s) heads \(heads) × \(width)")
      worst = max(worst, difference)
    }
    print("bfloat16 attention \(level): worst difference \(worst)")
  }

  func bytesDependOnNothingElse() {
    var random = SeededGenerator(seed: 64)
    let (x, w) = (random.tensor([3, 24, 24, 96]), random.tensor([160, 96, 3, 3]))
    let m = random.tensor([160, 160])
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    func pass(_ x: Tensor) -> [Float] {
      level.scoped {
        Precision.default.scoped {
          let y = convolution(x, PackedWeights(convolution: w), padding: Padding(1))
          let tokens = linear(y.reshaped([x.shape[0], 576, 160]), PackedWeights(linear: m))
          return attention(queries: tokens, keys: tokens, values: tokens, heads: 4).values
        }
      }
    }
    var results: [[Float]] = []
    for threads in [1, 2, 3, 5] {
      Parallel.threadCount = threads
      results.append(pass(x))
    }
    #expect(results.allSatisfy { $0 == results[0] })
    let alone = pass(x.rows(1..<2))
    #expect(alone == Array(results[0][alone.count..<2 * alone.count]))
  }
}
