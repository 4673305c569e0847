import CanonicalJSON
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct BadInputTests {
  /// Copies the tiny model, lets `damage` work on the copy, and runs a command on it.
  private func run(
    _ command: [String] = [
      "generate", "--prompt", "x", "--scheduler", "ddim", "--steps", "1", "--size", "32",
    ],
    damage: (String) throws -> Void
  ) async throws -> Program.Outcome {
    try await withFolder { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Program.tinyModel, toPath: model)
      try damage(model)
      let place = command[0] == "checkpoint" ? [model] : ["--model", model]
      let output = command[0] == "generate" ? ["--output", folder + "/run"] : []
      let outcome = try await Program.run(command + place + output)
      if command[0] == "generate" {
        #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
      }
      return outcome
    }
  }

  private static let unet = "/unet/diffusion_pytorch_model.safetensors"

  /// Writes the denoiser's weights anew, some of them changed.
  private func rewrite(_ model: String, _ change: (String, Tensor) -> Tensor?) throws {
    let source = try SafetensorsFile(path: model + Self.unet)
    var writer = SafetensorsWriter()
    for key in source.keys {
      if let tensor = change(key, try source.tensor(key)) { writer.add(key, tensor) }
    }
    try writer.write(to: model + Self.unet)
  }

  /// Sets the first value of a file's last tensor to NaN, behind the writer's back.
  private func spoil(_ path: String) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for offset in [bytes.count - 2, bytes.count - 1] { bytes[offset] = 0x7F }
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  private func replace(_ old: String, _ new: String, in path: String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(old))
    try text.replacingOccurrences(of: old, with: new).write(
      toFile: path, atomically: false, encoding: .utf8)
  }

  @Test func weightsThatAreNotNumbersAreRefused() async throws {
    let outcome = try await run { try spoil($0 + Self.unet) }
    expectRefusal(outcome, code: 65, saying: "is NaN, expected finite")
  }

  @Test func truncatedWeightsAreRefused() async throws {
    for size in [0, 7, 1000, 100_000] {
      let outcome = try await run { model in
        let handle = try #require(FileHandle(forWritingAtPath: model + Self.unet))
        try handle.truncate(atOffset: UInt64(size))
        try handle.close()
      }
      expectRefusal(outcome, code: 65, saying: "diffusion_pytorch_model.safetensors")
    }
  }

  @Test func misshapenMissingAndLeftoverTensorsAreNamed() async throws {
    let key = "conv_in.weight"
    let misshapen = try await run { model in
      try rewrite(model) { $0 == key ? Tensor.zeros([1, 2, 3, 3]) : $1 }
    }
    expectRefusal(misshapen, code: 65, saying: "conv_in.weight: found shape [1, 2, 3, 3]")
    let missing = try await run { model in try rewrite(model) { $0 == key ? nil : $1 } }
    expectRefusal(missing, code: 65, saying: "conv_in.weight")
    let other = try await run {
      try replace(
        "\"layers_per_block\": 1", "\"layers_per_block\": 2", in: $0 + "/unet/config.json")
    }
    expectRefusal(other, code: 65, saying: "resnets")
  }

  @Test func theReportListsWhatDoesNotFit() async throws {
    let whole = try await run(["checkpoint", "--json"]) { _ in }
    #expect(whole.code == 0)
    let good = try JSONValue.parse(Array(try #require(whole.lines.last).utf8))
    #expect(good["kind"] == "stable-diffusion-1" && good["missing"] == .array([]))
    #expect((good["parameters"]?.integer ?? 0) > 200_000 && good["dtypes"]?["F16"] != nil)
    let outcome = try await run(["checkpoint", "--json"]) { model in
      try rewrite(model) { key, tensor in
        switch key {
        case "conv_in.weight": Tensor.zeros([1, 2, 3, 3])
        case "conv_in.bias": nil
        default: tensor
        }
      }
    }
    #expect(outcome.code == 1 && outcome.error.isEmpty)
    let report = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
    #expect(report["missing"]?.elements?.map { $0["key"] } == ["conv_in.bias"])
    #expect(report["misshapen"]?.elements?.first?["found"] == [1, 2, 3, 3])
    #expect(report["unexpected"] == .array([]))
  }

  @Test(arguments: [
    ("vae", "decoder.conv_out.weight", Float(0), "flat"),
    ("unet", "conv_out.bias", 1e38, "not-finite"),
  ])
  func picturesThatAreNoneAreTriedAgainAndRejected(
    component: String, key: String, value: Float, reason: String
  ) async throws {
    try await withFolder { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Program.tinyModel, toPath: model)
      let file = "\(model)/\(component)/diffusion_pytorch_model.safetensors"
      let source = try SafetensorsFile(path: file)
      var writer = SafetensorsWriter()
      for name in source.keys {
        let tensor = try source.tensor(name)
        writer.add(name, name == key ? Tensor(repeating: value, shape: tensor.shape) : tensor)
      }
      try writer.write(to: file)
      let outcome = try await Program.run(
        [
          "generate", "--prompt", "x", "--model", model, "--scheduler", "ddim", "--steps", "3",
          "--size", "32",
          "--json", "--output", folder + "/run",
        ])
      #expect(outcome.code == 1, "\(outcome.error)")
      let lines = try outcome.lines.map { try JSONValue.parse(Array($0.utf8)) }
      let rejected = lines.filter { $0["event"] == "rejected" }
      #expect(rejected.map { $0["attempt"] } == [0, 1, 2])
      let sample = try #require(lines.first { $0["event"] == "sample" })
      #expect(sample["attempt"] == 3 && sample["accepted"] == false)
      #expect(sample["reasons"] == .array([.string(reason)]))
      #expect(lines.last?["accepted"] == 0 && lines.last?["samples"] == 1)
    }
  }

  @Test func unknownClassesAreRefusedByName() async throws {
    let unet = try await run {
      try replace("UNet2DConditionModel", "FluxTransformer2DModel", in: $0 + "/model_index.json")
    }
    expectRefusal(unet, code: 65, saying: "FluxTransformer2DModel")
    let pipeline = try await run {
      try replace(
        "\"StableDiffusionPipeline\"", "\"StableDiffusionXLPipeline\"", in: $0 + "/model_index.json"
      )
    }
    expectRefusal(pipeline, code: 65, saying: "StableDiffusionXLPipeline")
    let scheduler = try await run(["generate", "--prompt", "x", "--steps", "1"]) {
      try replace("PNDMScheduler", "MysteryScheduler", in: $0 + "/scheduler/scheduler_config.json")
    }
    expectRefusal(scheduler, code: 65, saying: "MysteryScheduler")
  }

  @Test func missingFilesAreExit66() async throws {
    for name in [
      "model_index.json", "unet/config.json", "vae", "unet/diffusion_pytorch_model.safetensors",
      "tokenizer/merges.txt",
    ] {
      let outcome = try await run { try FileManager.default.removeItem(atPath: "\($0)/\(name)") }
      expectRefusal(outcome, code: 66, saying: name.split(separator: "/")[0].description)
    }
    let folder = try await Program.run(["generate", "--prompt", "x", "--model", "/no/such/model"])
    expectRefusal(folder, code: 66, saying: "/no/such/model")
    let words = try await Program.run(["generate", "--vocabulary", "/no/such.yaml"])
    expectRefusal(words, code: 66, saying: "/no/such.yaml")
    let latents = try await Program.run(["generate", "--prompt", "x", "--latents", "/no/such"])
    expectRefusal(latents, code: 66, saying: "/no/such")
  }

  @Test func brokenConfigurationsAreRefused() async throws {
    for text in ["", "{", "[1]", "{\"a\": 1, \"a\": 2}", "\u{FEFF}{}"] {
      let outcome = try await run {
        try text.write(toFile: $0 + "/unet/config.json", atomically: false, encoding: .utf8)
      }
      expectRefusal(outcome, code: 65, saying: "unet/config.json")
    }
    let defaults = try await run {
      try "{\"steps\": 0}".write(
        toFile: $0 + "/sampling_defaults.json", atomically: false, encoding: .utf8)
    }
    expectRefusal(defaults, code: 65, saying: "sampling_defaults.json")
  }
}
