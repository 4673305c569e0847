import Checkpoints
import Foundation
import LatentDiffusion
import TensorCore
import TestSupport
import TextConditioning
import Testing

/// A whole model folder through the program's own readers: words to tokens to latents to an image, against
/// diffusers' pipeline (Tests/Fixtures/diffusion/generate_sampling.py).
@Suite struct FolderRunTests {
  static let prompts: [TinyModel: (text: [String], unconditional: String)] = [
    .sd1: (["a photo of a red chair", "two cats and a dog"], "blurry"),
    .sd2: (["a small house"], ""),
  ]

  @Test(arguments: TinyModel.allCases)
  func aFolderMakesTheImage(model: TinyModel) throws {
    let fixture = try Fixture("diffusion/run-\(model.rawValue).safetensors")
    let path = Fixture.folder.appendingPathComponent("diffusion/\(model.rawValue)").path
    let folder = try ModelFolder(path: path)
    let prompts = try #require(Self.prompts[model])

    let tokenizer = try CLIPTokenizer(folder: folder.folder("tokenizer"))
    let encoder = try CLIPTextEncoder(
      WeightScope(folder.weights("text_encoder")),
      configuration: CLIPTextConfiguration(
        folder.configuration("text_encoder"), file: folder.file("text_encoder", "config.json")))
    func embedding(_ texts: [String], _ name: String) throws -> Tensor {
      let ids = texts.map { tokenizer($0) }
      #expect(try ids.flatMap(\.self) == fixture.integers("\(name).ids"))
      let found = encoder(ids)
      let difference = Difference(found, try fixture.tensor("\(name).embedding"))
      #expect(difference.keeps(within: .layer, "\(model.rawValue) \(name) embedding"))
      return found
    }
    let text = try embedding(prompts.text, "text")
    let unconditional = try embedding(
      prompts.text.map { _ in prompts.unconditional }, "unconditional")

    let unet = try UNet(
      WeightScope(folder.weights("unet")),
      UNetConfiguration(folder.configuration("unet"), file: folder.file("unet", "config.json")))
    let scheduler = try SchedulerConfiguration(
      folder.configuration("scheduler"), file: folder.file("scheduler", "scheduler_config.json")
    ).scheduler(.ddim)
    let isFirst = model == .sd1
    let latents = try LatentSampler(unet: unet, scheduler: scheduler)(
      LatentSampler.Request(
        noise: fixture.map("latents"), text: text, unconditionalText: unconditional,
        stepCount: isFirst ? 12 : 10,
        guidance: Guidance(scale: isFirst ? 7.5 : 4, rescale: isFirst ? 0 : 0.7)))
    let autoencoder = try Autoencoder(
      WeightScope(folder.weights("vae")),
      AutoencoderConfiguration(
        folder.configuration("vae"), file: folder.file("vae", "config.json")))
    let found = Autoencoder.bytes(of: autoencoder.image(of: latents))
    let off = zip(found, try fixture.bytes("image")).map { abs(Int($0) - Int($1)) }
    print("parity folder \(model.rawValue): image off by at most \(off.max() ?? 0)")
    #expect(off.count == found.count && off.allSatisfy { $0 <= Tolerance.imageLevels })
  }
}
