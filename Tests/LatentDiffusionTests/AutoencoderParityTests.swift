import Checkpoints
import Foundation
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// The tiny autoencoder both ways against diffusers (Tests/Fixtures/diffusion/generate_networks.py).
@Suite struct AutoencoderParityTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture("diffusion/autoencoder.safetensors") }

  @Test(arguments: ["even", "odd"])
  func encodingAgrees(name: String) throws {
    let latents = try TinyModel.sd1.autoencoder().encode(fixture.map("\(name).image"))
    for (found, key) in [(latents.mean, "mean"), (latents.logVariance, "log-variance")] {
      let difference = Difference(found, try fixture.map("\(name).\(key)"))
      #expect(difference.keeps(within: .layer, "encode \(name) \(key)"))
    }
  }

  @Test func logVarianceIsKeptInItsRange() throws {
    let model = TinyModel.sd1
    let source = try EditedSource(model.file("vae")) { key, tensor in
      key == "quant_conv.weight" ? 256 * tensor : tensor
    }
    let configuration = try AutoencoderConfiguration(model.json("vae"), file: "vae/config.json")
    let autoencoder = try Autoencoder(WeightScope(source), configuration)
    let found = autoencoder.encode(try fixture.map("extreme.image")).logVariance
    #expect(found.values.contains(-30) && found.values.contains(20))
    let difference = Difference(found, try fixture.map("extreme.log-variance"))
    #expect(difference.keeps(within: .layer, "encode extreme log-variance"))
  }

  @Test(arguments: ["square", "uneven"])
  func decodingAgrees(name: String) throws {
    let image = try TinyModel.sd1.autoencoder().decode(fixture.map("\(name).latents"))
    let difference = Difference(image, try fixture.map("\(name).decoded"))
    #expect(difference.keeps(within: .layer, "decode \(name)"))
  }

  @Test(arguments: [true, false])
  func oldAttentionNamesMeanTheSame(asConvolutions: Bool) throws {
    let model = TinyModel.sd1
    let names = [
      "to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn",
    ]
    let old = try EditedSource(model.file("vae")) { key in
      for (new, old) in names where key.contains(".attentions.0.\(new).") {
        return key.replacingOccurrences(of: new, with: old)
      }
      return key
    } editing: { key, tensor in
      let isProjection = names.values.contains { key.contains(".attentions.0.\($0).weight") }
      return isProjection && asConvolutions ? tensor.reshaped(tensor.shape + [1, 1]) : tensor
    }
    let configuration = try AutoencoderConfiguration(model.json("vae"), file: "vae/config.json")
    let autoencoder = try Autoencoder(WeightScope(old), configuration)
    let latents = try fixture.map("square.latents")
    #expect(autoencoder.decode(latents).values == (try model.autoencoder().decode(latents)).values)
  }

  @Test func scalingIsUndone() throws {
    let autoencoder = try TinyModel.sd1.autoencoder()
    let latents = try fixture.map("square.latents")
    let image = autoencoder.image(of: autoencoder.scaled(latents))
    #expect(Difference(image, autoencoder.decode(latents)).keeps(within: .layer, "scaling"))
  }

  @Test func bytesAreRoundedAndClipped() {
    let image = Tensor([-2, -1, -0.999, 0, 0.5, 1, 7, 1 / 255], shape: [1, 1, 8, 1])
    #expect(Autoencoder.bytes(of: image) == [0, 0, 0, 128, 191, 255, 255, 128])
  }
}
