import LatentDiffusion
import TensorCore
import Testing

/// The generator behind every latent.
@Suite struct RandomStreamsTests {
  typealias Words = (UInt32, UInt32, UInt32, UInt32)

  /// Known answers published with Random123 for philox4x32 with ten rounds.
  static let known: [(Words, (UInt32, UInt32), Words)] = [
    ((0, 0, 0, 0), (0, 0), (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
    (
      (.max, .max, .max, .max), (.max, .max), (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
    ),
    (
      (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), (0xa409_3822, 0x299f_31d0),
      (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
    ),
  ]

  @Test(arguments: 0..<3)
  func philoxGivesTheKnownAnswers(index: Int) {
    let (counter, key, answer) = Self.known[index]
    #expect(Philox4x32(key: key).block(counter) == answer)
  }

  @Test func halvesOfTheSeedAreInOrder() {
    let generator = Philox4x32(key: 0x299f_31d0_a409_3822)
    #expect(generator == Philox4x32(key: (0xa409_3822, 0x299f_31d0)))
    let words = RandomStreams(seed: 0x299f_31d0_a409_3822).words(
      stream: 0x0370_7344_1319_8a2e, block: 0x85a3_08d3_243f_6a88)
    #expect(words == (0x94fd_cceb_d16c_fe09, 0x2412_6ea1_5001_e420))
  }

  @Test func normalsAreNormal() {
    let draws = RandomStreams(seed: 7).normals(stream: 0, shape: [100_000]).values.map(Double.init)
    let mean = draws.reduce(0, +) / 100_000
    let variance = draws.reduce(0) { $0 + $1 * $1 } / 100_000
    let fourth = draws.reduce(0) { $0 + $1 * $1 * $1 * $1 } / 100_000
    let beyondTwo = draws.count { abs($0) > 2 }
    #expect(abs(mean) < 0.015)
    #expect(abs(variance - 1) < 0.02)
    #expect(abs(fourth - 3) < 0.15)
    #expect((4_250...4_850).contains(beyondTwo))  // 4.55 per cent
    #expect(draws.allSatisfy { $0.isFinite })
  }

  @Test func longerStreamsBeginAsShorterOnes() {
    let streams = RandomStreams(seed: 3)
    let long = streams.normals(stream: 5, shape: [9]).values
    #expect(Array(long.prefix(4)) == streams.normals(stream: 5, shape: [4]).values)
    #expect(long != streams.normals(stream: 6, shape: [9]).values)
    #expect(long != RandomStreams(seed: 4).normals(stream: 5, shape: [9]).values)
  }

  @Test func aSampleHasItsNoiseInAnyBatch() {
    let seeds: [UInt64] = [11, .max, 0]
    let batch = LatentNoise.initial(seeds: seeds, height: 3, width: 5, channels: 4)
    #expect(batch.shape == [3, 3, 5, 4])
    for (index, seed) in seeds.enumerated() {
      let alone = LatentNoise.initial(seeds: [seed], height: 3, width: 5, channels: 4)
      #expect(alone.values == batch.rows(index..<index + 1).values)
      let step = LatentNoise.step(0, seeds: [seed], shape: [3, 5, 4])
      #expect(step.values != alone.values)
      #expect(step.values != LatentNoise.step(1, seeds: [seed], shape: [3, 5, 4]).values)
    }
  }
}
