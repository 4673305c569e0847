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
    let latents = try TinyModel.sd1.autoencoder().encode(fixture.map("extreme.image"))
    #expect(latents.logVariance.values.allSatisfy { $0 >= -30 && $0 <= 20 })
    let difference = Difference(latents.mean, try fixture.map("extreme.mean"))
    #expect(difference.keeps(within: .layer, "encode extreme"))
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
    let old = OldNames(
      scope: try model.weights("vae"),
      source: try Fixture("diffusion/tiny-sd1/vae/diffusion_pytorch_model.safetensors"),
      asConvolutions: asConvolutions)
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

/// A source that gives the middle blocks' attention the names of older files.
private struct OldNames: WeightSource {
  let scope: WeightScope
  let source: Fixture
  let asConvolutions: Bool

  private static let names = [
    ("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0"),
  ]

  var name: String { "old names" }

  var keys: [String] { scope.unusedKeys.map { renamed($0, to: \.0, from: \.1) }.sorted() }

  func record(_ key: String) -> TensorRecord? {
    let stored = renamed(key, to: \.1, from: \.0)
    // A key under its new name is not there.
    guard stored == key ? !isAttention(key, \.1) : true, let shape = scope.shape(stored) else {
      return nil
    }
    return TensorRecord(type: .float16, shape: shape + extraAxes(key, shape))
  }

  func tensor(_ key: String) throws -> Tensor {
    let tensor = try source.tensor(renamed(key, to: \.1, from: \.0))
    return tensor.reshaped(tensor.shape + extraAxes(key, tensor.shape))
  }

  private func extraAxes(_ key: String, _ shape: [Int]) -> [Int] {
    asConvolutions && isAttention(key, \.0) && shape.count == 2 ? [1, 1] : []
  }

  private func isAttention(_ key: String, _ side: KeyPath<(String, String), String>) -> Bool {
    Self.names.contains { key.contains(".attentions.0.\($0[keyPath: side]).") }
  }

  private func renamed(
    _ key: String, to: KeyPath<(String, String), String>, from: KeyPath<(String, String), String>
  ) -> String {
    for pair in Self.names {
      let (old, new) = (".attentions.0.\(pair[keyPath: from]).", ".attentions.0.\(pair[keyPath: to]).")
      if let range = key.range(of: old) { return key.replacingCharacters(in: range, with: new) }
    }
    return key
  }
}
