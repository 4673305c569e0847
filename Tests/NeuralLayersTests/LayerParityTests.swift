import NeuralLayers
import TensorCore
import TestSupport
import Testing

/// Every layer against torch and diffusers (Tests/Fixtures/layers/generate.py).
@Suite struct LayerParityTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture("layers/layers.safetensors") }

  private func expect(_ found: Tensor, _ key: String, within tolerance: Tolerance = .layer) throws {
    #expect(Difference(found, try fixture.tensor(key)).keeps(within: tolerance, key))
  }

  private func expectMap(_ found: Tensor, _ key: String) throws {
    #expect(Difference(found, try fixture.map(key)).keeps(within: .layer, key))
  }

  @Test func linearMapsAgree() throws {
    let tokens = try fixture.tensor("tokens")
    try expect(Linear(fixture.weights("linear."), inputs: 24, outputs: 17)(tokens), "linear.out")
    let plain = try Linear(
      fixture.weights("linear-plain."), inputs: 24, outputs: 17, bias: false)
    try expect(plain(tokens), "linear-plain.out")
  }

  @Test func pointwiseConvolutionIsALinearMap() throws {
    let image = try fixture.map("image")
    let linear = try Linear(fixture.weights("pointwise."), inputs: 12, outputs: 10)
    try expectMap(linear(image), "pointwise.out")
    let convolution = try Conv2D(fixture.weights("pointwise."), inputs: 12, outputs: 10, kernel: 1)
    try expectMap(convolution(image), "pointwise.out")
  }

  @Test func residualAndShiftAreAdded() throws {
    let image = try fixture.map("image")
    let layer = try Conv2D(fixture.weights("conv."), inputs: 12, outputs: 10, kernel: 3)
    let plain = layer(image)
    let shift = Tensor((0..<20).map { Float($0) / 10 }, shape: [2, 10])
    let fused = layer(image, shift: shift, adding: plain)
    let area = plain.shape[1] * plain.shape[2]
    let separate = Tensor(shape: plain.shape) { out in
      let (values, shifts) = (plain.values, shift.values)
      for i in 0..<out.count { out[i] = 2 * values[i] + shifts[i / (area * 10) * 10 + i % 10] }
    }
    #expect(Difference(fused, separate).keeps(within: .rounding, "shift and residual"))
  }

  @Test func convolutionsAgree() throws {
    let image = try fixture.map("image")
    let plain = try Conv2D(fixture.weights("conv."), inputs: 12, outputs: 10, kernel: 3)
    try expectMap(plain(image), "conv.out")
    let halving = try Conv2D(
      fixture.weights("halving."), inputs: 12, outputs: 12, kernel: 3, stride: 2)
    try expectMap(halving(image), "halving.out")
    let corner = try Conv2D(
      fixture.weights("corner."), inputs: 12, outputs: 12, kernel: 3, stride: 2,
      padding: Padding(top: 0, bottom: 1, left: 0, right: 1))
    try expectMap(corner(image), "corner.out")
    let doubling = try Conv2D(fixture.weights("doubling."), inputs: 8, outputs: 6, kernel: 3)
    try expectMap(doubling(try fixture.map("even"), upsampling: true), "doubling.out")
  }

  @Test func normsAgree() throws {
    let image = try fixture.map("image")
    let group = try GroupNorm(
      fixture.weights("group-norm."), channels: 12, groups: 4, epsilon: 1e-5)
    try expectMap(group(image), "group-norm.out")
    try expectMap(group(image, thenSiLU: true), "group-norm.silu")
    let layer = try LayerNorm(fixture.weights("layer-norm."), width: 24)
    try expect(layer(try fixture.tensor("tokens")), "layer-norm.out")
  }

  @Test func embeddingAgrees() throws {
    let embedding = try Embedding(fixture.weights("embedding."), count: 10, width: 6)
    try expect(embedding(try fixture.integers("embedding.ids")), "embedding.out")
  }

  @Test func selfAttentionAgrees() throws {
    let layer = try MultiHeadAttention(fixture.weights("self-attention."), width: 24, heads: 3)
    try expect(layer(try fixture.tensor("tokens")), "self-attention.out")
  }

  @Test func crossAttentionAndItsProbabilitiesAgree() throws {
    let layer = try MultiHeadAttention(
      fixture.weights("cross-attention."), width: 24, contextWidth: 20, heads: 2)
    let tokens = try fixture.tensor("tokens")
    let context = layer.keysAndValues(of: try fixture.tensor("context"))
    var seen: [Tensor] = []
    let observed = layer(tokens, context: context) { queries, keys in
      seen.append(averageAttention(queries: queries, keys: keys, heads: 2))
    }
    try expect(observed, "cross-attention.out")
    let expected = try fixture.tensor("cross-attention.probabilities").averagedOverHeads
    let difference = Difference(try #require(seen.first), expected)
    #expect(difference.keeps(within: .layer, "cross-attention.probabilities"))
    #expect(seen.count == 1)
    #expect(layer(tokens, context: context).values == observed.values)
  }

  @Test func headsThatDoNotDivideTheWidthAreRefused() {
    #expect(throws: (any Error).self) {
      try MultiHeadAttention(fixture.weights("self-attention."), width: 24, heads: 5)
    }
  }

  @Test func feedForwardAgrees() throws {
    let layer = try FeedForward(fixture.weights("feed-forward."), width: 24)
    try expect(layer(try fixture.tensor("tokens")), "feed-forward.out")
  }

  @Test(arguments: [
    ("cosines-first", 32, true, Float(0)), ("sines-first", 32, false, 1), ("odd", 33, true, 0),
    ("wide", 320, true, 0),
  ])
  func sinusoidsAgree(name: String, width: Int, cosinesFirst: Bool, shift: Float) throws {
    let sinusoids = TimestepEmbedding.Sinusoids(
      width: width, cosinesFirst: cosinesFirst, frequencyShift: shift)
    let times = try fixture.integers("times").map(Float.init)
    try expect(sinusoids(times), "sinusoids.\(name)")
  }

  @Test func timestepEmbeddingAgrees() throws {
    let layer = try TimestepEmbedding(
      fixture.weights("time."),
      sinusoids: .init(width: 32, cosinesFirst: true, frequencyShift: 0), outputs: 48)
    try expect(layer(try fixture.integers("times").map(Float.init)), "time.out")
  }
}
