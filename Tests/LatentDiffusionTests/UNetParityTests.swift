import CanonicalJSON
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// Whole passes of the tiny U-Nets against diffusers (Tests/Fixtures/diffusion/generate_networks.py).
@Suite struct UNetParityTests {
  static let calls = TinyModel.allCases.flatMap { model in
    ["square", "batch", "odd", "small"].map { (model, $0) }
  }

  @Test(arguments: calls)
  func predictionAgrees(model: TinyModel, call: String) throws {
    let fixture = try Fixture("diffusion/unet-\(model.rawValue).safetensors")
    let found = try model.unet()(
      fixture.map("\(call).latents"), timesteps: fixture.integers("\(call).times"),
      text: fixture.tensor("\(call).text"))
    let difference = Difference(found, try fixture.map("\(call).prediction"))
    #expect(difference.keeps(within: .layer, "\(model.rawValue) \(call)"))
  }

  @Test func everyOptionAwayFromItsUsualValueAgrees() throws {
    let fixture = try Fixture("diffusion/unet-options.safetensors")
    let json = try JSONValue.parse(fixture.note("configuration").utf8)
    let unet = try UNet(
      fixture.weights("unet."), UNetConfiguration(json, file: "unet-options.safetensors"))
    let found = unet(
      try fixture.map("latents"), timesteps: try fixture.integers("times"),
      text: try fixture.tensor("text"))
    let difference = Difference(found, try fixture.map("prediction"))
    #expect(difference.keeps(within: .layer, "options"))
  }

  @Test func everyTapAgrees() throws {
    let fixture = try Fixture("diffusion/unet-tiny-sd1.safetensors")
    let unet = try TinyModel.sd1.unet()
    var (blocks, layers): ([UNetBlock], [AttentionLayer]) = ([], [])
    var tensors: [(String, Tensor)] = []
    let taps = UNetTaps(
      blocks: Set(unet.blocks.map(\.place)),
      attentionLayers: Set(unet.crossAttentionLayers.map(\.name)),
      onBlock: { block, output in
        blocks.append(block)
        #expect(output.lastDimension == block.channels)
        tensors.append((block.place.description, output.channelsFirst()))
      },
      onAttention: { layer, probabilities in
        layers.append(layer)
        let (n, h, w, t) = probabilities.dimensions4(layer.name)
        tensors.append((layer.name, probabilities.reshaped([n, h * w, t])))
      })
    let call = (
      latents: try fixture.map("odd.latents"), times: try fixture.integers("odd.times"),
      text: try fixture.tensor("odd.text")
    )
    let tapped = unet(call.latents, timesteps: call.times, text: call.text, taps: taps)
    #expect(blocks == unet.blocks)
    #expect(layers == unet.crossAttentionLayers)
    for (name, tensor) in tensors {
      var expected = try fixture.tensor("odd.\(name)")
      if name.hasSuffix("attn2") { expected = expected.averagedOverHeads }
      let difference = Difference(tensor, expected)
      #expect(difference.keeps(within: .layer, "tap \(name)"))
    }
    let untapped = unet(call.latents, timesteps: call.times, text: call.text)
    #expect(untapped.values == tapped.values)
  }

  @Test func attentionOfSomeSamplesIsTheirsAlone() throws {
    let unet = try TinyModel.sd1.unet()
    let layers = [unet.crossAttentionLayers[0], unet.selfAttentionLayers[1]]
    let latents = LatentNoise.initial(seeds: [1, 2, 3], height: 8, width: 4, channels: 4)
    let text = LatentNoise.initial(seeds: [4, 5, 6], height: 1, width: 9, channels: 32)
      .reshaped([3, 9, 32])
    func attention(_ rows: Range<Int>, of samples: Range<Int>?) -> [Tensor] {
      var seen: [Tensor] = []
      let taps = UNetTaps(
        attentionLayers: Set(layers.map(\.name)), attentionSamples: samples,
        onAttention: { _, tensor in seen.append(tensor) })
      _ = unet(
        latents.rows(rows), timesteps: [400], text: text.rows(rows), taps: taps)
      return seen
    }
    let (all, some, alone) = (
      attention(0..<3, of: nil), attention(0..<3, of: 1..<3), attention(2..<3, of: nil)
    )
    for index in layers.indices {
      #expect(some[index].values == all[index].rows(1..<3).values)
      #expect(alone[index].values == all[index].rows(2..<3).values)
      let (_, h, w, s) = all[index].dimensions4("attention")
      #expect(s == (layers[index].kind == .pixels ? h * w : 9))
    }
  }

  @Test func onlyWhatIsAskedForIsHandedOut() throws {
    let unet = try TinyModel.sd2.unet()
    let layer = try #require(unet.crossAttentionLayers.last)
    var seen: [String] = []
    let taps = UNetTaps(
      blocks: [.middle, .output(1)], attentionLayers: [layer.name],
      onBlock: { block, _ in seen.append(block.place.description) },
      onAttention: { layer, _ in seen.append(layer.name) })
    let text = LatentNoise.initial(seeds: [1], height: 1, width: 3, channels: 32)
    _ = unet(
      LatentNoise.initial(seeds: [2], height: 4, width: 4, channels: 4), timesteps: [1],
      text: text.reshaped([1, 3, 32]), taps: taps)
    #expect(seen == ["middle", "out1", layer.name])
  }

  @Test func blocksAreNumberedAsInTheOriginal() throws {
    let (one, two) = (try TinyModel.sd1.unet(), try TinyModel.sd2.unet())
    // One layer a block and three levels; in2 and in4 are downsamplers, out1 and out3 end with upsamplers.
    #expect(
      one.blocks.map(\.place.description) == [
        "in0", "in1", "in2", "in3", "in4", "in5", "middle", "out0", "out1", "out2", "out3", "out4",
        "out5",
      ])
    #expect(one.blocks.map(\.level) == [0, 0, 1, 1, 2, 2, 2, 2, 1, 1, 0, 0, 0])
    #expect(one.blocks.map(\.channels) == [8, 8, 8, 16, 16, 24, 24, 24, 24, 16, 16, 8, 8])
    #expect(two.blocks.map(\.level) == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    #expect(
      two.crossAttentionLayers.first?.name
        == "down_blocks.0.attentions.0.transformer_blocks.0.attn2")
  }
}
