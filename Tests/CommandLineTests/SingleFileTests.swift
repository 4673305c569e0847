import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// Single files of the original layout, on the built program.
@Suite struct SingleFileTests {
  private let place = Fixture.folder.appendingPathComponent("singlefile").path

  private func file(_ name: String) -> [String] {
    ["--model", "\(place)/\(name)", "--model-config", "\(place)/\(name.prefix(3))"]
  }

  private func generate(
    _ model: [String], _ folder: String, _ name: String
  ) async throws -> Program.Outcome {
    try await Program.run(
      [
        "generate", "--prompt", "a red chair", "--entities", "chair", "--size", "32", "--steps",
        "2",
        "--save-latents", "\(folder)/\(name).latents", "--output", "\(folder)/\(name)",
      ] + model)
  }

  private func json(_ outcome: Program.Outcome) throws -> JSONValue {
    try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  private func runJSON(_ folder: String) throws -> JSONValue {
    try JSONValue.parse(Data(contentsOf: URL(fileURLWithPath: folder + "/run.json")))
  }

  @Test func bothFormatsMakeTheSamePictures() async throws {
    try await withFolder(inMemory: true) { folder in
      for (name, options) in [("sd1.safetensors", []), ("sd1.ckpt", []), ("ema", ["--ema"])] {
        let model = file(name == "ema" ? "sd1.ckpt" : name)
        let outcome = try await generate(model + options, folder, name)
        #expect(outcome.code == 0, "\(outcome.error)")
      }
      func latents(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).latents"))
      }
      #expect(try latents("sd1.safetensors") == latents("sd1.ckpt"))
      #expect(try latents("sd1.safetensors") != latents("ema"))
      let model = try runJSON(folder + "/ema")["model"]
      #expect(model?["ema"] == true && model?["prediction"] == "epsilon")
      #expect(model?["files"]?["sd1.ckpt"]?.string?.count == 64)
      #expect(model?["files"]?["tokenizer/vocab.json"] != nil)
      #expect(model?["files"]?["unet/config.json"] != nil)
      // The same command goes on; another one is told that it is another.
      let again = try await generate(file("sd1.ckpt") + ["--ema"], folder, "ema")
      #expect(again.code == 0)
      expectRefusal(
        try await generate(file("sd1.ckpt"), folder, "ema"), code: 78, saying: "model.ema")
    }
  }

  @Test func theFolderAFileLiesInSaysItsConfigurations() async throws {
    try await withFolder(inMemory: true) { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: place + "/sd2", toPath: model)
      try FileManager.default.copyItem(
        atPath: place + "/sd2.safetensors", toPath: model + "/sd2.safetensors")
      let beside = try await generate(["--model", model + "/sd2.safetensors"], folder, "beside")
      #expect(beside.code == 0 && beside.error.contains("the diffusers folder it lies in"))
      let given = try await generate(file("sd2.safetensors"), folder, "given")
      #expect(given.code == 0)
      #expect(try contents(of: folder + "/beside") == contents(of: folder + "/given"))
    }
  }

  @Test(arguments: ["sd1.safetensors", "sd1.ckpt", "sd2.safetensors"])
  func otherCommandsTakeThem(_ name: String) async throws {
    try await withFolder(inMemory: true) { folder in
      try "\"a dog\"\n".write(toFile: folder + "/in", atomically: false, encoding: .utf8)
      let picture = Fixture.folder.appendingPathComponent("imaging/rgb.png").path
      for command in [
        ["tokenize", "--input", folder + "/in"],
        ["bench", "--part", "text", "--repeat", "1", "--size", "32"],
        ["plan", "--prompt", "a dog", "--no-measure", "--size", "32"],
        [
          "inspect", "a dog", "--entities", "dog", "--steps", "2", "--size", "32", "--output",
          folder + "/look",
        ],
        [
          "invert", picture, "--steps", "2", "--size", "32", "--save-latents", folder + "/latents",
        ],
      ] {
        let outcome = try await Program.run(command + file(name))
        #expect(outcome.code == 0, "\(command[0]): \(outcome.error)")
      }
    }
  }

  @Test func theReportSaysWhatAFileHolds() async throws {
    let path = place + "/sd1.ckpt"
    let outcome = try await Program.run(
      ["checkpoint", path, "--model-config", place + "/sd1", "--json"])
    let value = try json(outcome)
    #expect(outcome.code == 0 && value["kind"] == "stable-diffusion-1")
    #expect(value["prediction"] == "epsilon" && value["dtypes"]?["F16"] != nil)
    #expect(value["missing"] == .array([]) && value["unexpected"] == .array([]))
    #expect(value["ema"]?["tensors"]?.integer == 208 && value["ema"]?["used"] == false)
    let skipped = value["skipped"]?.elements?.compactMap(\.string) ?? []
    #expect(skipped.contains("optimizer_states") && skipped.contains("model_ema.decay"))
    #expect(skipped.contains("alphas_cumprod"))
    let classes = value["skipped_classes"]?.elements?.compactMap(\.string) ?? []
    #expect(classes.contains("omegaconf.dictconfig.DictConfig"))
    let second = try json(
      try await Program.run(
        ["checkpoint", place + "/sd2.safetensors", "--model-config", place + "/sd2", "--json"]))
    #expect(second["kind"] == "stable-diffusion-2-v" && second["dtypes"]?["BF16"] != nil)
    // Without configurations the tensors are listed and compared with nothing.
    let bare = try await Program.run(["checkpoint", path])
    #expect(bare.code == 0 && bare.output.contains("--model-config"))
    let lora = try await withFolder { folder in
      try HollowFile.write(["lora_te_x.lora_up.weight": [4, 4]], to: folder + "/l.safetensors")
      return try await Program.run(["checkpoint", folder + "/l.safetensors"])
    }
    #expect(lora.code == 0 && lora.output.contains("kind: a LoRA file"))
  }

  @Test func strayTensorsAreListedAndDoNotStopARun() async throws {
    try await withFolder(inMemory: true) { folder in
      let path = folder + "/stray.safetensors"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: place + "/sd1.safetensors"))
      let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      let header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
      // An own name instead of a buffer's, as long.
      let renamed = header.replacing("\"betas\"", with: "\"other\"")
      bytes.replaceSubrange(8..<8 + length, with: Data(renamed.utf8))
      try bytes.write(to: URL(fileURLWithPath: path))
      let report = try await Program.run(
        ["checkpoint", path, "--model-config", place + "/sd1", "--json"])
      #expect(report.code == 1)
      #expect(try json(report)["unexpected"]?.elements?.map { $0["key"] } == ["other"])
      let run = try await generate(
        ["--model", path, "--model-config", place + "/sd1"], folder, "run")
      #expect(run.code == 0 && run.error.contains("other"))
    }
  }

  @Test func whatTheFileDoesNotSayIsAskedFor() async throws {
    try await withFolder(inMemory: true) { folder in
      let path = folder + "/v2.safetensors"
      try HollowFile.write(try HollowFile.published("sd21"), to: path)
      expectRefusal(
        try await Program.run(["generate", "--prompt", "x", "--model", path]), code: 64,
        saying: "--prediction")
      let tokenize = ["tokenize", "--input", folder + "/none", "--model", path]
      expectRefusal(try await Program.run(tokenize), code: 66, saying: "--tokenizer")
      expectRefusal(
        try await Program.run(tokenize + ["--tokenizer", folder + "/nothing"]), code: 66,
        saying: folder + "/nothing")
      expectRefusal(
        try await Program.run(tokenize + ["--tokenizer", place + "/sd2"]), code: 65,
        saying: "799 ids")
    }
  }

  @Test(arguments: [("sd15", 798), ("sd21", 0)])
  func aTokenizerBesideTheFileIsFoundAndPadsAsTheKindDoes(
    _ kind: String, _ padding: Int64
  ) async throws {
    try await withFolder(inMemory: true) { folder in
      var shapes = try HollowFile.published(kind)
      for (key, shape) in shapes where shape.first == 49408 { shapes[key] = [799, shape[1]] }
      try HollowFile.write(shapes, to: folder + "/model.safetensors")
      // Of the other kind: the padding is the model's affair, not the folder's.
      let other = kind == "sd15" ? "sd2" : "sd1"
      try FileManager.default.copyItem(
        atPath: "\(place)/\(other)/tokenizer", toPath: folder + "/tokenizer")
      try "\"a dog\"\n".write(toFile: folder + "/in", atomically: false, encoding: .utf8)
      let outcome = try await Program.run(
        ["tokenize", "--model", "model.safetensors", "--input", "in"], in: folder)
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(try json(outcome)["ids"]?.elements?.last == .integer(padding))
    }
  }

  @Test func optionsThatDoNotGoWithTheModelAreExit64() async throws {
    let folder = ["generate", "--prompt", "x"] + Program.tinyOptions
    for option in [
      ["--ema"], ["--prediction", "epsilon"], ["--tokenizer", place], ["--model-config", place],
    ] {
      expectRefusal(try await Program.run(folder + option), code: 64, saying: option[0])
    }
    expectRefusal(
      try await Program.run(["tokenize", "--model", Program.tinyModel, "--input", "x", "--ema"]),
      code: 64, saying: "--ema")
    let none = ["generate", "--prompt", "x", "--ema"] + file("sd1.safetensors")
    expectRefusal(try await Program.run(none), code: 64, saying: "no averaged weights")
    expectRefusal(
      try await Program.run(["generate", "--prompt", "x", "--model", place + "/sd1.ckpt"]),
      code: 64, saying: "--model-config")
  }

  @Test func otherFilesAreRefusedInOneLine() async throws {
    try await withFolder(inMemory: true) { folder in
      var inpainting = try HollowFile.published("sd15")
      inpainting["model.diffusion_model.input_blocks.0.0.weight"] = [320, 9, 3, 3]
      for (name, shapes, part) in [
        ("inpainting", inpainting, "a model for inpainting"),
        ("vae", ["decoder.conv_in.weight": [4, 4, 3, 3]], "an autoencoder (VAE) alone"),
        ("lora", ["lora_te_x.lora_up.weight": [4, 4]], "a LoRA file"),
        ("xl", ["conditioner.embedders.1.model.x": [4]], "Stable Diffusion XL"),
        ("other", ["x": [4]], "none of the parts"),
      ] {
        let path = "\(folder)/\(name).safetensors"
        try HollowFile.write(shapes, to: path)
        expectRefusal(
          try await Program.run(["generate", "--prompt", "x", "--model", path]), code: 65,
          saying: part)
      }
    }
    let old = Fixture.folder.appendingPathComponent("checkpoints/torch/legacy.pth").path
    expectRefusal(
      try await Program.run(["generate", "--prompt", "x", "--model", old]), code: 65,
      saying: "save the state_dict anew")
    let called = Fixture.folder.appendingPathComponent("checkpoints/torch/calls.pth").path
    expectRefusal(
      try await Program.run(["generate", "--prompt", "x", "--model", called]), code: 65,
      saying: "posix.system, which is not allowed")
    expectRefusal(
      try await Program.run(["generate", "--prompt", "x", "--model", "/no/such.ckpt"]), code: 66,
      saying: "/no/such.ckpt")
  }

  @Test func brokenPickledWeightsInAFolderAreNamed() async throws {
    try await withFolder(inMemory: true) { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Program.tinyModel, toPath: model)
      let unet = model + "/unet/diffusion_pytorch_model"
      try FileManager.default.removeItem(atPath: unet + ".safetensors")
      try Data("not a pickle".utf8).write(to: URL(fileURLWithPath: unet + ".bin"))
      let outcome = try await Program.run([
        "generate", "--prompt", "x", "--size", "32", "--steps", "1", "--model", model, "--output",
        folder + "/run",
      ])
      expectRefusal(outcome, code: 65, saying: "diffusion_pytorch_model.bin")
    }
  }
}
