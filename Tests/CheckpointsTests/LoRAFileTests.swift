import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct LoRAFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:]
  ) throws -> String {
    var writer = SafetensorsWriter(metadata: metadata)
    for (key, tensor) in tensors { writer.add(key, tensor) }
    try writer.write(to: folder["lora.safetensors"])
    return folder["lora.safetensors"]
  }

  private func lora(
    _ tensors: [String: Tensor], metadata: [String: String] = [:]
  ) throws -> LoRAFile { try LoRAFile(path: try write(tensors, metadata: metadata)) }

  /// A pair in PEFT's keys.
  private func pair(
    _ layer: String, rank: Int = 2, inputs: Int, outputs: Int
  ) -> [String: Tensor] {
    var generator = SeededGenerator(seed: 3)
    return [
      "unet.\(layer).lora_A.weight": generator.tensor([rank, inputs]),
      "unet.\(layer).lora_B.weight": generator.tensor([outputs, rank]),
    ]
  }

  private func merged(
    _ file: LoRAFile, weight: Double, into base: DictionarySource, _ key: String
  ) throws -> Tensor {
    let merge = try LoRAMerge([(file, weight)], parts: [.unet: base])
    return try merge.merged(.unet, base).tensor(key)
  }

  /// W + factor · up · down, element by element in double precision.
  private func reference(_ base: Tensor, _ up: Tensor, _ down: Tensor, factor: Double) -> [Float] {
    let (w, u, d) = (base.values, up.values, down.values)
    let rank = down.shape[0]
    let columns = w.count / base.shape[0]
    return w.indices.map { index in
      let (row, column) = (index / columns, index % columns)
      var sum = 0.0
      for k in 0..<rank { sum += Double(u[row * rank + k]) * Double(d[k * columns + column]) }
      return Float(Double(w[index]) + factor * sum)
    }
  }

  @Test(arguments: [
    ([5, 7], [5, 3], [3, 7]), ([5, 7], [5, 3, 1, 1], [3, 7, 1, 1]),
    ([5, 7, 1, 1], [5, 3], [3, 7]), ([5, 7, 3, 3], [5, 3, 1, 1], [3, 7, 3, 3]),
    ([40, 300], [40, 64], [64, 300]),
  ])
  func theProductIsAdded(base: [Int], up: [Int], down: [Int]) throws {
    var generator = SeededGenerator(seed: 8)
    let weight = generator.tensor(base)
    let (u, d) = (generator.tensor(up), generator.tensor(down))
    let file = try lora([
      "lora_unet_conv_in.lora_up.weight": u, "lora_unet_conv_in.lora_down.weight": d,
      "lora_unet_conv_in.alpha": Tensor([1.5], shape: []),
    ])
    let source = DictionarySource(["conv_in.weight": weight])
    let found = try merged(file, weight: -0.6, into: source, "conv_in.weight")
    #expect(found.shape == base)
    let expected = reference(weight, u, d, factor: -0.6 * 1.5 / Double(down[0]))
    #expect(Difference(found.values, expected).ofRange < 1e-6)
  }

  @Test func alphaOfTheMetadataCountsAndOneBesideThePairWins() throws {
    let base = DictionarySource(["conv_in.weight": Tensor.zeros([3, 4])])
    let tensors = pair("conv_in", rank: 4, inputs: 4, outputs: 3)
    let plain = try merged(try lora(tensors), weight: 1, into: base, "conv_in.weight")
    func scale(_ metadata: String, adding: [String: Tensor] = [:]) throws -> Float {
      let file = try lora(
        tensors.merging(adding) { $1 }, metadata: ["lora_adapter_metadata": metadata])
      let found = try merged(file, weight: 1, into: base, "conv_in.weight")
      return found.values[0] / plain.values[0]
    }
    #expect(abs(try scale(#"{"unet.lora_alpha": 6}"#) - 1.5) < 1e-6)
    #expect(abs(try scale(#"{"unet.lora_alpha": 6, "unet.use_rslora": true}"#) - 3) < 1e-6)
    #expect(abs(try scale(#"{"text_encoder.lora_alpha": 6}"#) - 1) < 1e-6)
    let pattern = #"{"unet.lora_alpha": 6, "unet.alpha_pattern": {"conv_in": 2}}"#
    #expect(abs(try scale(pattern) - 0.5) < 1e-6)
    let beside = ["unet.conv_in.alpha": Tensor([8], shape: [1])]
    #expect(abs(try scale(pattern, adding: beside) - 2) < 1e-6)
  }

  @Test func layersAreFoundByTheirNamesInOriginalCheckpoints() throws {
    // Stable Diffusion 1's levels: two residual blocks each, attention on the three finest.
    let names = [
      "input_blocks_0_0": "conv_in", "time_embed_2": "time_embedding.linear_2",
      "input_blocks_1_1_proj_in": "down_blocks.0.attentions.0.proj_in",
      "input_blocks_3_0_op": "down_blocks.0.downsamplers.0.conv",
      "input_blocks_4_0_skip_connection": "down_blocks.1.resnets.0.conv_shortcut",
      "input_blocks_8_1_transformer_blocks_0_attn2_to_k":
        "down_blocks.2.attentions.1.transformer_blocks.0.attn2.to_k",
      "input_blocks_10_0_emb_layers_1": "down_blocks.3.resnets.0.time_emb_proj",
      "middle_block_0_in_layers_2": "mid_block.resnets.0.conv1",
      "middle_block_1_proj_out": "mid_block.attentions.0.proj_out",
      "middle_block_2_out_layers_3": "mid_block.resnets.1.conv2",
      "output_blocks_2_1_conv": "up_blocks.0.upsamplers.0.conv",
      "output_blocks_5_2_conv": "up_blocks.1.upsamplers.0.conv",
      "output_blocks_11_1_proj_in": "up_blocks.3.attentions.2.proj_in", "out_2": "conv_out",
    ]
    var layers = Set(names.values)
    for level in 0..<4 {
      for index in 0..<2 { layers.insert("down_blocks.\(level).resnets.\(index).conv1") }
      if level > 0 { layers.insert("up_blocks.\(level).attentions.0.proj_in") }
    }
    let base = DictionarySource(
      Dictionary(uniqueKeysWithValues: layers.map { ($0 + ".weight", Tensor.zeros([2, 2])) }))
    for (original, layer) in names {
      let one = Tensor(repeating: 1, shape: [2, 2])
      let file = try lora([
        "lora_unet_\(original).lora_up.weight": one, "lora_unet_\(original).lora_down.weight": one,
      ])
      let source = try LoRAMerge([(file, 1)], parts: [.unet: base]).merged(.unet, base)
      let changed = try source.keys.filter { try source.tensor($0).values[0] != 0 }
      #expect(changed == [layer + ".weight"], "\(original)")
    }
  }

  @Test(arguments: [
    ("lora_unet_x.hada_w1_a", "LoHa"), ("lora_unet_x.lokr_w1", "LoKr"),
    ("lora_unet_x.dora_scale", "DoRA"), ("unet.x.lora_magnitude_vector", "DoRA"),
    ("lora_unet_x.lora_mid.weight", "CP-decomposed"), ("lora_unet_x.oft_blocks", "OFT"),
    ("lora_unet_x.on_input", "IA3"), ("lora_unet_x.diff", "full difference"),
    ("unet.x.lora_B.bias", "biases"), ("bundle_emb.a.string_to_param.*", "bundled"),
  ])
  func relativesAreRefusedByName(key: String, name: String) throws {
    var tensors = pair("conv_in", inputs: 4, outputs: 3)
    tensors[key] = Tensor.zeros([1])
    let error = try refusal { try lora(tensors) }
    #expect(error.code == .unsupported && error.key == key && error.message.contains(name))
  }

  @Test func whatIsNoWholeLoRAIsRefused() throws {
    let whole = pair("conv_in", inputs: 4, outputs: 3)
    let half = try refusal { try lora(whole.filter { $0.key.contains("lora_A") }) }
    #expect(half.code == .missingTensor && half.message.contains("its other half is missing"))
    let alpha = try refusal {
      try lora(whole.merging(["unet.conv_out.alpha": Tensor([1], shape: [1])]) { $1 })
    }
    #expect(alpha.code == .missingTensor && alpha.message.contains("both matrices are missing"))
    let none = try refusal { try lora(["conv_in.weight": Tensor.zeros([1])]) }
    #expect(none.message.contains("this is no LoRA file"))
    let stranger = try refusal { try lora(whole.merging(["x": Tensor.zeros([1])]) { $1 }) }
    #expect(stranger.key == "x" && stranger.message.contains("no place in a LoRA"))
    let base = DictionarySource(["conv_in.weight": Tensor.zeros([3, 4])])
    for name in ["conv_in", "input_blocks_0_0"] {
      let file = try lora(
        whole.merging([
          "lora_unet_\(name).lora_down.weight": Tensor.zeros([2, 4]),
          "lora_unet_\(name).lora_up.weight": Tensor.zeros([3, 2]),
        ]) { $1 })
      let twice = try refusal { try LoRAMerge([(file, 1)], parts: [.unet: base]) }
      #expect(twice.message.contains("a second pair for the layer of conv_in.weight"))
    }
    let same = try refusal {
      try lora(whole.merging(["unet.conv_in.lora_down.weight": Tensor.zeros([2, 4])]) { $1 })
    }
    #expect(same.message.contains("stands for the same matrix"))
    try folder.write(Array("PK\u{3}\u{4}".utf8) + [0, 0, 0], to: "zip.pt")
    #expect(throws: CheckpointError.self) { try LoRAFile(path: folder["zip.pt"]) }
    #expect(throws: CheckpointError.self) { try LoRAFile(path: torchFixture("training.ckpt")) }
  }

  @Test func shapesAndScalarsAreChecked() throws {
    let down = "lora_unet_conv_in.lora_down.weight"
    let up = "lora_unet_conv_in.lora_up.weight"
    func error(_ downShape: [Int], _ upShape: [Int], alpha: Tensor? = nil) throws
      -> CheckpointError
    {
      var tensors = [down: Tensor.zeros(downShape), up: Tensor.zeros(upShape)]
      tensors["lora_unet_conv_in.alpha"] = alpha
      return try refusal { try lora(tensors) }
    }
    #expect(try error([2, 4], [3, 3]).key == up)
    #expect(try error([2, 4], [3, 2, 3, 3]).code == .wrongShape)
    #expect(try error([2, 4, 1], [3, 2]).key == down)
    #expect(try error([2, 0], [3, 2]).code == .wrongShape)
    #expect(try error([4097, 1], [1, 4097]).message.contains("at most 4096"))
    #expect(try error([2, 4], [3, 2], alpha: Tensor.zeros([2])).message.contains("single number"))
    // Behind the writer's back: it takes no NaN.
    var bytes = try fileBytes(
      try write([
        down: Tensor.zeros([2, 4]), up: Tensor.zeros([3, 2]),
        "lora_unet_conv_in.alpha": Tensor([-1.25], shape: []),
      ]))
    let needle = withUnsafeBytes(of: Float(-1.25)) { Array($0) }
    let place = try #require(bytes.indices.last { bytes[$0...].starts(with: needle) })
    bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0x80, 0x7F])
    try folder.write(bytes, to: "nan.safetensors")
    let notFinite = try refusal { try LoRAFile(path: folder["nan.safetensors"]) }
    #expect(notFinite.code == .notFinite && notFinite.message.contains("alpha is inf"))
  }

  @Test(arguments: [
    ("{", "not JSON"), (#"{"unet.lora_alpha": "8"}"#, "lora_alpha"),
    (#"{"unet.use_dora": true}"#, "DoRA"),
    (#"{"unet.alpha_pattern": {"to_[qk]": 2}}"#, "not the name of a layer"),
  ])
  func brokenMetadataAreRefused(metadata: String, part: String) throws {
    let error = try refusal {
      try lora(
        pair("conv_in", inputs: 4, outputs: 3), metadata: ["lora_adapter_metadata": metadata])
    }
    #expect(error.message.contains(part))
  }

  @Test func aLoRAForAnotherModelIsRefusedWithItsLikelyOne() throws {
    let layer = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    let base = DictionarySource([
      layer + ".weight": Tensor.zeros([320, 768]), "conv_in.weight": Tensor.zeros([320, 36]),
    ])
    func error(_ tensors: [String: Tensor]) throws -> CheckpointError {
      let file = try lora(tensors)
      return try refusal { try LoRAMerge([(file, 1)], parts: [.unet: base]) }
    }
    let second = try error(
      pair(layer, inputs: 1024, outputs: 320)
        .merging(pair("conv_in", inputs: 36, outputs: 320)) { $1 })
    #expect(second.code == .wrongShape && second.message.contains("1 of 2 pair(s)"))
    #expect(second.message.contains("made for Stable Diffusion 2 (text width 1024)"))
    #expect(second.message.contains("this one's text is 768 wide"))
    let large = try error(
      pair("down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k", inputs: 2048, outputs: 8))
    #expect(large.code == .unusedTensors && large.message.contains("Stable Diffusion XL"))
    let towers = try error([
      "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": Tensor.zeros([1, 2]),
      "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": Tensor.zeros([2, 1]),
    ])
    #expect(towers.message.contains("Stable Diffusion XL"))
    let unknown = try error(pair("nowhere", inputs: 3, outputs: 3))
    #expect(unknown.message.contains("the model has no such layer; 1 of 1 pair(s)"))
    #expect(unknown.message.contains("a LoRA for another model"))
  }

  @Test func weightsThatLeaveTheNumbersAreRefused() throws {
    let base = DictionarySource(["conv_in.weight": Tensor(repeating: 3e38, shape: [3, 4])])
    let file = try lora(pair("conv_in", inputs: 4, outputs: 3))
    let error = try refusal { try merged(file, weight: 3e38, into: base, "conv_in.weight") }
    #expect(error.code == .notFinite && error.message.contains("give a smaller weight"))
  }

  @Test func aHugeFileIsRefusedByItsShapesBeforeItIsRead() throws {
    // 64 GB of holes: reading them would take minutes and all memory.
    let (rank, inputs) = (4096, 4 << 20)
    let end = rank * inputs * 4
    let header = Array(
      ("{" + entry("lora_unet_conv_in.lora_down.weight", "F32", "[\(rank),\(inputs)]", 0, end) + ","
        + entry("lora_unet_conv_in.lora_up.weight", "F32", "[1,\(rank)]", end, end + 4 * rank)
        + "}").utf8)
    let path = try folder.write(safetensors(header), to: "huge.safetensors")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: UInt64(8 + header.count + end + 4 * rank))
    try handle.close()
    let base = DictionarySource(["conv_in.weight": Tensor.zeros([1, 8])])
    let error = try refusal { try LoRAMerge([(LoRAFile(path: path), 1)], parts: [.unet: base]) }
    #expect(error.code == .wrongShape)
  }
}
