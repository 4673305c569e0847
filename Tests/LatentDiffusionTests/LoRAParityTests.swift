import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
import TensorCore
import TestSupport
import Testing
import TextConditioning

/// LoRA files in every dialect, merged on load, against diffusers (Tests/Fixtures/adapters/generate.py).
@Suite struct LoRAParityTests {
  private static func path(_ name: String) -> String {
    Fixture.folder.appendingPathComponent(name).path
  }

  private static let parts: [LoRAComponent: String] = [
    .unet: "unet/diffusion_pytorch_model", .textEncoder: "text_encoder/model",
  ]

  private func weights(_ plan: JSONValue) throws -> (LoRAMerge, [LoRAComponent: any WeightSource]) {
    let sources = try Self.parts.mapValues { name -> any WeightSource in
      try SafetensorsFile(path: Self.path("diffusion/tiny-sd1/\(name).safetensors"))
    }
    let loras = try (plan.members ?? []).map { member in
      (
        file: try LoRAFile(path: Self.path("adapters/\(member.name).safetensors")),
        weight: try #require(member.value.number)
      )
    }
    return (try LoRAMerge(loras, parts: sources), sources)
  }

  @Test(arguments: ["kohya", "peft", "metadata", "old", "original", "two"])
  func predictionAndTextAgree(plan name: String) throws {
    let fixture = try Fixture("adapters/loras.safetensors")
    let plans = try JSONValue.parse(fixture.note("plans").utf8)
    let (merge, sources) = try weights(try #require(plans[name]))
    let unet = try UNet(
      WeightScope(merge.merged(.unet, try #require(sources[.unet]))),
      UNetConfiguration(TinyModel.sd1.json("unet"), file: "unet/config.json"))
    let found = try unet(
      fixture.map("sample"), timesteps: [300, 300], text: fixture.tensor("text"))
    #expect(
      Difference(found, try fixture.map("\(name).unet")).keeps(within: .layer, "LoRA \(name) unet"))
    let encoder = try CLIPTextEncoder(
      WeightScope(merge.merged(.textEncoder, try #require(sources[.textEncoder]))),
      configuration: CLIPTextConfiguration(
        file: Self.path("diffusion/tiny-sd1/text_encoder/config.json")))
    let ids = try fixture.integers("ids")
    let text = encoder([Array(ids.prefix(77)), Array(ids.dropFirst(77))])
    // The first 16 of 77 places are stored.
    let first = joinedRows(
      (0..<2).map { text.rows($0..<$0 + 1).reshaped([77, 32]).rows(0..<16) })
    let expected = try fixture.tensor("\(name).text").reshaped([32, 32])
    #expect(Difference(first, expected).keeps(within: .layer, "LoRA \(name) text"))
  }
}
