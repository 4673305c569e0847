import CanonicalJSON
import Checkpoints
import Foundation
import Generation
import LatentDiffusion
import TensorCore
import TestSupport
import TextConditioning
import Testing

/// Tiny files in the original layout against diffusers' `from_single_file` of the same files
/// (Tests/Fixtures/singlefile/generate.py).
@Suite struct SingleFileParityTests {
  private let folder = Fixture.folder.appendingPathComponent("singlefile").path

  private func model(_ file: String, average: Bool = false) throws -> StableDiffusionModel {
    var options = SingleFileOptions()
    options.configuration = "\(folder)/\(file.prefix(3))"
    options.usesAverage = average
    return try StableDiffusionModel(path: "\(folder)/\(file)", options: options)
  }

  private func golden(_ file: String) throws -> Fixture {
    try Fixture("singlefile/golden-\(file.prefix(3)).safetensors")
  }

  private func prompts(_ golden: Fixture) throws -> [String] {
    let list = try JSONValue.parse(golden.note("prompts").utf8).elements ?? []
    return list.compactMap(\.string)
  }

  @Test(arguments: ["sd1.safetensors", "sd1.ckpt", "sd2.safetensors"])
  func everyPartAgrees(_ file: String) throws {
    let (model, golden) = (try model(file), try golden(file))
    let tokenizer = try model.tokenizer()
    let ids = try prompts(golden).map { tokenizer($0) }
    #expect(try ids.flatMap(\.self) == golden.integers("ids"))
    func expect(_ found: Tensor, _ expected: Tensor, _ label: String) {
      #expect(Difference(found, expected).keeps(within: .layer, "single file \(file) \(label)"))
    }
    let text = try model.textEncoder()(ids)
    expect(text, try golden.tensor("text"), "text encoder")
    let latents = try golden.map("latents")
    expect(
      try model.unet()(latents, timesteps: [481], text: golden.tensor("text")),
      try golden.map("unet"), "U-Net")
    let autoencoder = try model.autoencoder()
    let moments = autoencoder.encode(try golden.map("image"))
    expect(moments.mean, try golden.map("encode.mean"), "encoder mean")
    expect(moments.logVariance, try golden.map("encode.log-variance"), "encoder log variance")
    expect(autoencoder.decode(latents.rows(0..<1)), try golden.map("decode"), "decoder")
  }

  @Test(arguments: ["sd1.safetensors", "sd1.ckpt", "sd2.safetensors"])
  func aRunAgrees(_ file: String) throws {
    let (model, golden) = (try model(file), try golden(file))
    let (tokenizer, encoder) = (try model.tokenizer(), try model.textEncoder())
    let prompts = try prompts(golden)
    let negative = try golden.note("negative")
    let settings = SamplingSettings(steps: 6, guidance: 4, width: 32, height: 32)
    let sampler = LatentSampler(unet: try model.unet(), scheduler: try model.scheduler(settings))
    let latents = try sampler(
      LatentSampler.Request(
        noise: golden.map("latents"), text: encoder(prompts.map { tokenizer($0) }),
        unconditionalText: encoder(prompts.map { _ in tokenizer(negative) }), stepCount: 6,
        guidance: Guidance(scale: 4)))
    let difference = Difference(latents, try golden.map("run.latents"))
    #expect(difference.keeps(within: .layer, "single file \(file) six steps"))
    let found = Autoencoder.bytes(of: try model.autoencoder().image(of: latents))
    let off = zip(found, try golden.integers("run.image")).map { abs(Int($0) - $1) }
    print("parity single file \(file): image off by at most \(off.max() ?? 0)")
    #expect(off.count == found.count && off.allSatisfy { $0 <= Tolerance.imageLevels })
  }

  @Test func averagedWeightsAgree() throws {
    let golden = try golden("sd1.ckpt")
    let unet = try model("sd1.ckpt", average: true).unet()
    let found = unet(
      try golden.map("latents"), timesteps: [481], text: try golden.tensor("text"))
    let difference = Difference(found, try golden.map("unet.averaged"))
    #expect(difference.keeps(within: .layer, "single file sd1.ckpt averaged U-Net"))
    #expect(Difference(found, try golden.map("unet")).ofRange > 0.01)
  }

  @Test func averagedWeightsAloneAreUsed() throws {
    let source = try PickleFile(path: folder + "/sd1.ckpt")
    try withTemporaryFolder { place in
      var writer = SafetensorsWriter()
      for key in source.keys where !key.hasPrefix("model.diffusion_model.") {
        guard source.record(key)?.type.isComputable == true else { continue }
        writer.add(key, try source.tensor(key))
      }
      let path = place + "/average.safetensors"
      try writer.write(to: path)
      var options = SingleFileOptions()
      options.configuration = folder + "/sd1"
      let alone = try StableDiffusionModel(path: path, options: options)
      #expect(alone.parts.notices.contains { $0.contains("only averaged weights") })
      let golden = try golden("sd1.ckpt")
      let found = try alone.unet()(
        golden.map("latents"), timesteps: [481], text: golden.tensor("text"))
      let difference = Difference(found, try golden.map("unet.averaged"))
      #expect(difference.keeps(within: .layer, "single file of averages alone"))
    }
  }

  @Test func typesAreReportedAsTheyAreStored() throws {
    let first = try model("sd1.safetensors").parts.weights("unet")
    #expect(first.record("conv_in.weight") == TensorRecord(type: .float16, shape: [4, 4, 3, 3]))
    let second = try model("sd2.safetensors").parts
    let attention = "text_model.encoder.layers.0.self_attn."
    for letter in ["q", "k", "v"] {
      let record = try second.weights("text_encoder").record("\(attention)\(letter)_proj.weight")
      #expect(record == TensorRecord(type: .bfloat16, shape: [16, 16]))
    }
    let projection = "decoder.mid_block.attentions.0.to_q.weight"
    #expect(
      try second.weights("vae").record(projection) == TensorRecord(type: .bfloat16, shape: [8, 8]))
  }
}
