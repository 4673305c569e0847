import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
import TensorCore
import TestSupport
import TextConditioning

/// Parts of Tests/Fixtures/diffusion/tiny-sd1.
enum TinyModel {
  private static let folder = Fixture.folder.appendingPathComponent("diffusion/tiny-sd1")

  /// The U-Net with the queries of its self-attention made 3 times as large, as the fixtures of attention have it.
  static func unet() throws -> UNet {
    let file = folder.appendingPathComponent("unet/config.json")
    let weights = try Fixture("diffusion/tiny-sd1/unet/diffusion_pytorch_model.safetensors")
    return try UNet(
      WeightScope(SharpenedWeights(fixture: weights)),
      UNetConfiguration(JSONValue.parse(Data(contentsOf: file)), file: file.path))
  }

  static func tokenizer() throws -> CLIPTokenizer {
    try CLIPTokenizer(folder: folder.appendingPathComponent("tokenizer").path)
  }

  static func textEncoder() throws -> CLIPTextEncoder {
    try CLIPTextEncoder(
      Fixture("diffusion/tiny-sd1/text_encoder/model.safetensors").weights(),
      configuration: CLIPTextConfiguration(
        file: folder.appendingPathComponent("text_encoder/config.json").path))
  }
}

private struct SharpenedWeights: WeightSource {
  let fixture: Fixture

  var name: String { fixture.name }
  var keys: [String] { fixture.keys }

  func record(_ key: String) -> TensorRecord? {
    keys.contains(key) ? (try? fixture.shape(key)).map { .init(type: .float32, shape: $0) } : nil
  }

  func tensor(_ key: String) throws -> Tensor {
    let tensor = try fixture.tensor(key)
    return key.hasSuffix("attn1.to_q.weight") ? 3 * tensor : tensor
  }
}
