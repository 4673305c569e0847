import TensorCore
import TestSupport
import Testing

@Suite("Tensor values, views and joining")
struct TensorTests {
  @Test func reshapeAndRowsShareTheirElements() {
    let t = Tensor((0..<24).map(Float.init), shape: [4, 6])
    #expect(t.reshaped([2, 2, 6]).reshaped([4, 6]).values == t.values)
    #expect(t.rows(1..<3).values == (6..<18).map(Float.init))
    #expect(t.rows(2..<2).count == 0)
  }

  @Test func channelOrdersAreInverse() {
    var random = SeededGenerator(seed: 21)
    let x = random.tensor([2, 5, 3, 4])
    #expect(x.channelsLast().channelsFirst().values == x.values)
    #expect(x.channelsLast().shape == [2, 3, 4, 5])
    #expect(x.channelsLast().values[1] == x.values[12])
  }

  @Test func joiningPutsPartsSideBySide() {
    let a = Tensor([1, 2, 3, 4], shape: [2, 2])
    let b = Tensor([5, 6], shape: [2, 1])
    #expect(joinedChannels([a, b]).values == [1, 2, 5, 3, 4, 6])
    #expect(joinedRows([a, a]).shape == [4, 2])
  }

  @Test func combiningIsElementwise() {
    let a = Tensor([1, 2, 3], shape: [3])
    let b = Tensor([10, 20, 30], shape: [3])
    #expect(combined(a, 2, b, 0.5).values == [7, 14, 21])
    #expect((b - a).values == [9, 18, 27])
  }

  @Test func halfPrecisionRoundTripsEveryValue() {
    let bits = (0..<UInt16.max).map { $0 }
    var wide = [Float](repeating: 0, count: bits.count)
    bits.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return }
      HalfPrecision.widenHalf(base, to: &wide, count: bits.count)
    }
    for (bit, value) in zip(bits, wide) {
      let exact = Float(Float16(bitPattern: bit))
      #expect(exact.isNaN ? value.isNaN : value == exact)
    }
    var back = [UInt16](repeating: 0, count: bits.count)
    back.withUnsafeMutableBytes { raw in
      guard let base = raw.baseAddress else { return }
      HalfPrecision.narrowToHalf(wide, to: base, count: bits.count)
    }
    for (bit, value) in zip(bits, back) where !Float16(bitPattern: bit).isNaN {
      #expect(bit == value)
    }
  }

  @Test func halfPrecisionRoundsLikeTheLanguage() {
    var random = SeededGenerator(seed: 22)
    let values = (0..<200_000).map { _ in
      Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
    }
    var half = [UInt16](repeating: 0, count: values.count)
    half.withUnsafeMutableBytes { raw in
      guard let base = raw.baseAddress else { return }
      HalfPrecision.narrowToHalf(values, to: base, count: values.count)
    }
    for (value, bits) in zip(values, half) where !value.isNaN {
      #expect(bits == Float16(value).bitPattern)
    }
  }

  @Test func finiteIsToldFromNotFinite() {
    #expect(Tensor([0, -1, 3e38], shape: [3]).isFinite)
    #expect(!Tensor([0, .nan], shape: [2]).isFinite)
    #expect(!Tensor([-.infinity], shape: [1]).isFinite)
  }

  /// In a process of its own: the pool is everybody's.
  @Test func aSteadyLoopAsksTheSystemForNothing() async {
    await #expect(processExitsWith: .success) {
      var random = SeededGenerator(seed: 23)
      let x = random.tensor([2, 16, 16, 32])
      let weights = PackedWeights(convolution: random.tensor([32, 32, 3, 3]))
      let one = Tensor(repeating: 1, shape: [32])
      func step() -> Tensor {
        let y = convolution(x, weights, padding: Padding(1))
        let z = groupNorm(y, groups: 8, scale: one, shift: one, epsilon: 1e-5, thenSiLU: true)
        let tokens = z.reshaped([2, 256, 32])
        return attention(queries: tokens, keys: tokens, values: tokens, heads: 2) + tokens
      }
      _ = step()
      let before = BufferPool.shared.statistics
      for _ in 0..<20 { _ = step() }
      let after = BufferPool.shared.statistics
      precondition(before.systemAllocations > 0 && before.usedBytes > 0)
      precondition(after.systemAllocations == before.systemAllocations, "\(before) → \(after)")
      precondition(after.heldBytes == before.heldBytes && after.usedBytes == before.usedBytes)
    }
  }

  /// In a process of its own: the pool is everybody's.
  @Test func trimmingGivesBackOnlyWhatIsUnused() async {
    await #expect(processExitsWith: .success) {
      let kept = Tensor(repeating: 3, shape: [1000])
      _ = Tensor.zeros([100_000])
      let held = BufferPool.shared.statistics.heldBytes
      BufferPool.shared.trim(above: 1 << 30)
      precondition(BufferPool.shared.statistics.heldBytes == held, "below the limit")
      BufferPool.shared.trim()
      let statistics = BufferPool.shared.statistics
      precondition(statistics.heldBytes <= held - 400_000, "the unused block is back")
      precondition(statistics.heldBytes == statistics.usedBytes && statistics.usedBytes >= 4000)
      precondition(kept.values.allSatisfy { $0 == 3 })
    }
  }
}
