import Checkpoints
import Foundation
import Generation
import LatentDiffusion
import TensorCore
import TestSupport
import TextConditioning
import Testing

/// LoRA files on whole models: where the weights come from must not matter, and what merging takes is planned.
@Suite struct AdaptedModelTests {
  private static let place = Fixture.folder.appendingPathComponent("singlefile").path
  private static let parts = [
    ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"),
    ("text_encoder", "model"),
  ]

  private func singleFile(_ name: String) throws -> StableDiffusionModel {
    var options = SingleFileOptions()
    options.configuration = "\(Self.place)/\(name.prefix(3))"
    return try StableDiffusionModel(path: "\(Self.place)/\(name)", options: options)
  }

  /// The same weights as a folder in the diffusers layout.
  private func folder(of model: StableDiffusionModel, _ name: String, in place: String) throws
    -> StableDiffusionModel
  {
    let path = place + "/model"
    try FileManager.default.copyItem(atPath: "\(Self.place)/\(name.prefix(3))", toPath: path)
    for (part, file) in Self.parts {
      let source = try model.parts.weights(part)
      var writer = SafetensorsWriter()
      for key in source.keys { writer.add(key, try source.tensor(key)) }
      try writer.write(to: "\(path)/\(part)/\(file).safetensors")
    }
    return try StableDiffusionModel(path: path)
  }

  /// A weight that can have a pair, and the shape it has.
  private struct Target {
    var layer: String
    var shape: [Int]

    var count: Int { shape.reduce(1, *) }
  }

  /// All such weights of U-Net and text encoder.
  private func targets(of model: StableDiffusionModel) throws -> [Target] {
    try [("unet", "lora_unet_"), ("text_encoder", "lora_te_")].flatMap { part, prefix in
      let source = try model.parts.weights(part)
      return source.keys.sorted().compactMap { key -> Target? in
        guard key.hasSuffix(".weight"), let shape = source.record(key)?.shape,
          shape.count == 2 || shape.count == 4
        else { return nil }
        let layer = key.dropLast(".weight".count).replacing(".", with: "_")
        return Target(layer: prefix + layer, shape: shape)
      }
    }
  }

  private func writeLoRA(for targets: [Target], rank: Int, to path: String) throws {
    var random = SeededGenerator(seed: 71)
    var writer = SafetensorsWriter()
    for target in targets {
      let tail = target.shape.count == 4 ? [1, 1] : []
      writer.add(
        "\(target.layer).lora_down.weight", random.tensor([rank] + target.shape.dropFirst()))
      writer.add("\(target.layer).lora_up.weight", random.tensor([target.shape[0], rank] + tail))
    }
    try writer.write(to: path)
  }

  @Test(arguments: ["sd1.safetensors", "sd1.ckpt", "sd2.safetensors"])
  func aLoRAOnASingleFileGivesTheBytesOfTheSameOnItsFolder(_ name: String) throws {
    try withTemporaryFolder { place in
      let single = try singleFile(name)
      let folder = try folder(of: single, name, in: place)
      try writeLoRA(for: targets(of: folder), rank: 2, to: place + "/lora.safetensors")
      let adapters = try ModelAdapters(
        loras: [.init(path: place + "/lora.safetensors", weight: 0.3)], embeddings: [])
      var random = SeededGenerator(seed: 72)
      let latents = random.tensor([1, 8, 8, 4])
      func pass(_ model: StableDiffusionModel) throws -> (text: [Float], noise: [Float]) {
        let text = try model.textEncoder()([try model.tokenizer()("a red chair")])
        let noise = try model.unet()(latents, timesteps: [481], text: text)
        return (text.values, noise.values)
      }
      let plain = try pass(folder)
      let (onFile, onFolder) = try (
        pass(single.adapted(by: adapters)), pass(folder.adapted(by: adapters))
      )
      #expect(onFile.text == onFolder.text && onFile.noise == onFolder.noise)
      #expect(onFolder.text != plain.text && onFolder.noise != plain.noise)
      #expect(try pass(single).noise == plain.noise)
    }
  }

  @Test func whatMergingTakesIsPlanned() throws {
    try withTemporaryFolder { place in
      let model = try StableDiffusionModel(
        path: Fixture.folder.appendingPathComponent("diffusion/tiny-sd1").path)
      // A rank that makes the matrices larger than all other weights together.
      let rank = 1024
      let largest = try #require(targets(of: model).max { $0.count < $1.count })
      try writeLoRA(for: [largest], rank: rank, to: place + "/lora.safetensors")
      let request = MemoryPlan.Request(
        settings: SamplingSettings(steps: 1, guidance: 4, width: 8, height: 8))
      func plan(_ count: Int) throws -> MemoryPlan {
        let loras = Array(
          repeating: ModelAdapters.LoRARequest(path: place + "/lora.safetensors"), count: count)
        let adapted = try model.adapted(by: ModelAdapters(loras: loras, embeddings: []))
        return try MemoryPlan(model: adapted, request: request, batch: 1)
      }
      let (none, one, more) = (try plan(0), try plan(1), try plan(3))
      // The matrix that is read, turned and packed; a further product takes the same memory again.
      let columns = largest.shape.dropFirst().reduce(1, *)
      #expect(one.total - none.total > 2 * 4 * rank * columns)
      #expect(one.weights == none.weights)
      #expect(more.total - one.total < 4 * rank * columns)
    }
  }
}
