import CanonicalJSON
import Foundation
import LatentDiffusion
import TestSupport
import TextConditioning

/// Parts of Tests/Fixtures/diffusion/tiny-sd1.
enum TinyModel {
  private static let folder = Fixture.folder.appendingPathComponent("diffusion/tiny-sd1")

  static func unet() throws -> UNet {
    let file = folder.appendingPathComponent("unet/config.json")
    return try UNet(
      Fixture("diffusion/tiny-sd1/unet/diffusion_pytorch_model.safetensors").weights(),
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
