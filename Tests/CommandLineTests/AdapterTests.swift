import CanonicalJSON
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// `--lora` and `--embedding` from outside, on files of Tests/Fixtures/adapters.
@Suite struct AdapterTests {
  private static func file(_ name: String) -> String {
    Fixture.folder.appendingPathComponent("adapters/\(name)").path
  }

  private static let embeddings = [
    "cat-toy.safetensors", "learned_embeds.bin", "a1111.pt", "watercolours.safetensors",
  ].flatMap { ["--embedding", file($0)] }

  private static let loras = [
    "--lora", file("kohya.safetensors:0.7"), "--lora", file("peft.safetensors:-0.4"),
  ]

  private static let command = [
    "generate", "--prompt", "a dog", "--model", Program.tinyModel, "--scheduler", "ddim", "--size",
    "32", "--steps", "1", "--guidance", "3", "--no-masks",
  ]

  /// Writes a file of tensors.
  private func write(_ tensors: [String: Tensor], to path: String) throws -> String {
    var writer = SafetensorsWriter()
    for (key, tensor) in tensors { writer.add(key, tensor) }
    try writer.write(to: path)
    return path
  }

  @Test func theLastLatentsAgreeWithDiffusers() async throws {
    let fixture = try Fixture("adapters/run.safetensors")
    let prompts = (try fixture.note("prompt"), try fixture.note("negative"))
    try await withFolder { folder in
      let start = try write(["latents": fixture.tensor("latents")], to: folder + "/l.safetensors")
      let saved = folder + "/last.safetensors"
      let outcome = try await Program.run(
        [
          "generate", "--model", Program.tinyModel, "--prompt", prompts.0, "--negative-prompt",
          prompts.1, "--latents", start, "--save-latents", saved, "--scheduler", "ddim", "--steps",
          "6", "--guidance", "3", "--no-masks", "--output", folder + "/run",
        ] + Self.loras + Self.embeddings)
      #expect(outcome.code == 0, "\(outcome.error)")
      let found = try SafetensorsFile(path: saved).tensor("latents")
      #expect(
        Difference(found, try fixture.tensor("last")).keeps(within: .loop, "run with adapters"))
    }
  }

  @Test func tokenizePrintsTheIdsOfTheReference() async throws {
    let fixture = try Fixture("adapters/inversions.safetensors")
    let texts = try JSONValue.parse(fixture.note("texts").utf8).elements ?? []
    try await withFolder { folder in
      try texts.map(\.text).joined(separator: "\n").write(
        toFile: folder + "/texts.jsonl", atomically: false, encoding: .utf8)
      let outcome = try await Program.run(
        ["tokenize", "--model", Program.tinyModel, "--input", folder + "/texts.jsonl"]
          + Self.embeddings)
      let ids = try outcome.lines.flatMap {
        try JSONValue.parse(Array($0.utf8))["ids"]?.elements?.compactMap(\.integer) ?? []
      }
      #expect(ids == (try fixture.integers("ids")))
    }
  }

  @Test func runJSONNamesThemAndAnotherWeightIsAnotherConfiguration() async throws {
    try await withFolder { folder in
      let run = folder + "/run"
      let arguments = Self.command + ["--output", run] + Self.embeddings
      let made = try await Program.run(arguments + Self.loras)
      #expect(made.code == 0, "\(made.error)")
      let text = try String(contentsOfFile: run + "/run.json", encoding: .utf8)
      #expect(!text.contains(Fixture.folder.path))
      let adapters = try JSONValue.parse(text.utf8)["model"]?["adapters"]?.elements ?? []
      #expect(adapters.count == 6)
      #expect(adapters.first?["kind"] == "lora" && adapters.first?["file"] == "kohya.safetensors")
      #expect(adapters.first?["weight"] == 0.7)
      #expect(adapters.first?["sha256"]?.string?.count == 64)
      #expect(adapters[3]["kind"] == "embedding" && adapters[3]["file"] == "learned_embeds.bin")
      #expect(adapters[3]["tokens"] == ["<statue>", "<statue>_1", "<statue>_2"])
      let other = try await Program.run(
        arguments + [
          "--lora", Self.file("kohya.safetensors:0.8"), "--lora",
          Self.file("peft.safetensors:-0.4"),
        ])
      expectRefusal(
        other, code: 78, saying: "model.adapters.0.weight is 0.7 in the folder and 0.8 now")
      let none = try await Program.run(Self.command + ["--output", run])
      expectRefusal(none, code: 78, saying: "model.adapters is")
      let again = try await Program.run(arguments + Self.loras)
      #expect(again.code == 0 && again.output.contains("all were there already"))
    }
  }

  @Test func aRunWithoutAdaptersSaysNothingOfThemAndALoRAOfWeightZeroChangesNothing() async throws {
    try await withFolder { folder in
      for (name, more) in [
        ("plain", []), ("zero", ["--lora", Self.file("kohya.safetensors:0")]),
        ("one", ["--lora", Self.file("kohya.safetensors")]),
        ("same", ["--lora", Self.file("kohya.safetensors:1")]),
      ] {
        let outcome = try await Program.run(
          Self.command + ["--output", "\(folder)/\(name)"] + more)
        #expect(outcome.code == 0, "\(outcome.error)")
      }
      func picture(_ name: String) throws -> Data {
        try Data(
          contentsOf: URL(fileURLWithPath: "\(folder)/\(name)/shards/00000/images/000000000.png"))
      }
      #expect(try picture("plain") == picture("zero"))
      #expect(try picture("plain") != picture("one"))
      #expect(try picture("one") == picture("same"))
      let plain = try String(contentsOfFile: folder + "/plain/run.json", encoding: .utf8)
      #expect(!plain.contains("adapters"))
    }
  }

  @Test func everyCommandThatUsesTheModelTakesThem() async throws {
    try await withFolder { folder in
      let model = ["--model", Program.tinyModel] + Self.loras + Self.embeddings
      let inspect = try await Program.run(
        [
          "inspect", "a <cat-toy> beside a dog in mystyle", "--entities", "<cat-toy>,dog,mystyle",
          "--steps", "2", "--size", "64", "--scheduler", "ddim", "--output", folder + "/look",
        ] + model)
      #expect(inspect.code == 0, "\(inspect.error)")
      let found = try JSONValue.parse(
        Array(Data(contentsOf: URL(fileURLWithPath: folder + "/look/inspect.json"))))
      #expect(found["adapters"]?.elements?.count == 6)
      #expect(found["entities"]?.elements?.allSatisfy { $0["named"] == true } == true)
      let invert = try await Program.run(
        [
          "invert", folder + "/look/mask.png", "--steps", "2", "--size", "64", "--save-latents",
          folder + "/l.safetensors",
        ] + model)
      #expect(invert.code == 0, "\(invert.error)")
      let bench = try await Program.run(["bench", "--part", "text", "--repeat", "1"] + model)
      #expect(bench.code == 0, "\(bench.error)")
      let plan = try await Program.run(["plan", "--prompt", "a mystyle", "--no-measure"] + model)
      #expect(plan.code == 0, "\(plan.error)")
    }
  }

  @Test func aConfigurationFileSaysThem() async throws {
    try await withFolder { folder in
      let yaml = """
        prompt: [a dog]
        lora: ["\(Self.file("kohya.safetensors")):0.5", "\(Self.file("peft.safetensors"))"]
        embedding: "\(Self.file("a1111.pt")):<other>"
        """
      try yaml.write(toFile: folder + "/c.yaml", atomically: false, encoding: .utf8)
      let outcome = try await Program.run([
        "generate", "--config", folder + "/c.yaml", "--model", Program.tinyModel, "--size", "32",
        "--steps", "1", "--scheduler", "ddim", "--output", folder + "/run",
      ])
      #expect(outcome.code == 0, "\(outcome.error)")
      let run = try JSONValue.parse(
        Array(Data(contentsOf: URL(fileURLWithPath: folder + "/run/run.json"))))
      let adapters = run["model"]?["adapters"]?.elements ?? []
      #expect(adapters.map { $0["weight"]?.number } == [0.5, 1, nil])
      #expect(adapters.last?["tokens"] == ["<other>", "<other>_1"])
    }
  }

  @Test func checkpointSaysWhatTheyAre() async throws {
    func result(_ name: String) async throws -> JSONValue {
      let outcome = try await Program.run(["checkpoint", Self.file(name), "--json"])
      #expect(outcome.code == 0, "\(outcome.error)")
      return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
    }
    let lora = try await result("kohya.safetensors")
    #expect(lora["kind"] == "lora" && lora["missing"] == [])
    let configuration = try #require(lora["configuration"])
    #expect(configuration["rank"] == [2, 4] && configuration["alpha"] == [1, 3])
    #expect(configuration["targets"] == ["unet": 37, "text_encoder": 12])
    #expect(configuration["made_for"] == "a model whose text is 32 wide")
    let embedding = try await result("a1111.pt")
    #expect(embedding["kind"] == "embedding" && embedding["parameters"] == 64)
    #expect(embedding["configuration"] == ["word": "mystyle", "vectors": 2, "width": 32])
    let text = try await Program.run(["checkpoint", Self.file("learned_embeds.bin")])
    #expect(text.output.contains("word: <statue>"))
  }

  @Test func usageIsChecked() async throws {
    for (option, part): ([String], String) in [
      (["--lora", "x:nan"], "the weight is nan"), (["--lora", "x:1e999"], "the weight is inf"),
      (["--lora", "x:1e39"], "expected a finite number"), (["--lora", ""], "--lora: is empty"),
      (["--embedding", ""], "--embedding: is empty"),
    ] {
      let outcome = try await Program.run(Self.command + option)
      expectRefusal(outcome, code: 64, saying: part)
    }
  }

  @Test func badFilesAreRefusedAndNothingIsWritten() async throws {
    try await withFolder { folder in
      let run = folder + "/run"
      func expect(
        _ option: String, _ file: String, code: Int32 = 65, saying part: String,
        sourceLocation: SourceLocation = #_sourceLocation
      ) async throws {
        let outcome = try await Program.run(Self.command + ["--output", run, option, file])
        expectRefusal(outcome, code: code, saying: part, sourceLocation: sourceLocation)
        #expect(!FileManager.default.fileExists(atPath: run), sourceLocation: sourceLocation)
      }
      func pair(_ stem: String, _ inputs: Int, _ outputs: Int) -> [String: Tensor] {
        [
          "\(stem).lora_down.weight": Tensor.zeros([2, inputs]),
          "\(stem).lora_up.weight": Tensor.zeros([outputs, 2]),
        ]
      }
      let key = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
      let second = try write(pair(key, 1024, 8), to: folder + "/second.safetensors")
      try await expect("--lora", second, saying: "looks made for Stable Diffusion 2")
      let large = try write(
        pair("lora_te2_text_model_encoder_layers_0_mlp_fc1", 4, 8), to: folder + "/xl.safetensors")
      try await expect("--lora", large, saying: "looks made for Stable Diffusion XL")
      let half = try write(
        ["unet.conv_in.lora_A.weight": Tensor.zeros([2, 4])], to: folder + "/half.safetensors")
      try await expect(
        "--lora", half, saying: "unet.conv_in.lora_A.weight: its other half is missing")
      let kind = try write(
        ["lora_unet_conv_in.hada_w1_a": Tensor.zeros([2, 4])], to: folder + "/loha.safetensors")
      try await expect("--lora", kind, saying: "this is LoHa")
      try await expect(
        "--lora", Program.tinyModel + "/unet/diffusion_pytorch_model.safetensors",
        saying: "this is no LoRA file")
      try await expect("--lora", Self.file("a1111.pt"), saying: "read as safetensors alone")
      try await expect("--lora", folder + "/none", code: 66, saying: "/none")
      let wide = try write(["<w>": Tensor.zeros([1, 768])], to: folder + "/wide.safetensors")
      try await expect("--embedding", wide, saying: "are 768 wide, expected the text encoder's 32")
      let known = try write(["dog</w>": Tensor.zeros([1, 32])], to: folder + "/known.safetensors")
      try await expect("--embedding", known, saying: "in the tokenizer's vocabulary already")
      try await expect(
        "--embedding", Self.file("kohya.safetensors"), saying: "no textual-inversion embedding")
      try await expect("--embedding", folder + "/none", code: 66, saying: "/none")
      let again = try await Program.run(
        Self.command + ["--output", run] + Self.embeddings + Self.embeddings)
      expectRefusal(again, code: 65, saying: "in the tokenizer's vocabulary already")
    }
  }
}
