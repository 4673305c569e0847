import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct ModelFolderTests {
  private static let components: [(String, String)] = [
    ("scheduler", "[\"diffusers\",\"PNDMScheduler\"]"),
    ("text_encoder", "[\"transformers\",\"CLIPTextModel\"]"),
    ("tokenizer", "[\"transformers\",\"CLIPTokenizer\"]"),
    ("unet", "[\"diffusers\",\"UNet2DConditionModel\"]"),
    ("vae", "[\"diffusers\",\"AutoencoderKL\"]"),
  ]

  /// The text of a model index, with members replaced (nil leaves one out) or added.
  private func index(
    _ changes: [(String, String?)] = [], pipeline: String = "\"StableDiffusionPipeline\""
  ) -> String {
    var members = Self.components.map { ($0.0, Optional($0.1)) }
    members.insert(("_class_name", pipeline), at: 0)
    for change in changes {
      members.removeAll { $0.0 == change.0 }
      members.append(change)
    }
    let lines = members.compactMap { name, value in value.map { "\"\(name)\": \($0)" } }
    return "{\(lines.joined(separator: ",\n"))}"
  }

  private func folder(_ index: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(index, to: "model_index.json")
    for (component, _) in Self.components {
      let file = component == "scheduler" ? "scheduler_config.json" : "config.json"
      try folder.write("{\"of\":\"\(component)\"}", to: "\(component)/\(file)")
    }
    return folder
  }

  private func error(_ index: String) throws -> CheckpointError {
    let folder = try folder(index)
    let error = try refusal { try ModelFolder(path: folder.path) }
    #expect(error.file == folder["model_index.json"])
    return error
  }

  /// A file with one tensor, whose key tells which file was read.
  private func writeWeights(_ key: String, to path: String) throws {
    var writer = SafetensorsWriter()
    writer.add(key, Tensor([1], shape: [1]))
    try writer.write(to: path)
  }

  @Test func aFolderOfThePublishedLayoutIsRead() throws {
    let folder = try folder(
      index([
        ("_diffusers_version", "\"0.30.0\""), ("_name_or_path", "\"x/y\""),
        ("requires_safety_checker", "true"), ("safety_checker", "[\"stable_diffusion\",\"S\"]"),
        ("feature_extractor", "[\"transformers\",\"CLIPImageProcessor\"]"),
        ("image_encoder", "[null,null]"), ("some_adapter", "[null,null]"),
        ("tokenizer", "[\"transformers\",\"CLIPTokenizerFast\"]"),
      ]))
    let model = try ModelFolder(path: folder.path)
    #expect(model.path == folder.path)
    #expect(model.className(of: "scheduler") == "PNDMScheduler")
    #expect(model.className(of: "tokenizer") == "CLIPTokenizerFast")
    #expect(model.className(of: "safety_checker") == nil)
    #expect(model.folder("unet") == folder["unet"])
    #expect(model.file("tokenizer", "merges.txt") == folder["tokenizer/merges.txt"])
    #expect("\(try model.configuration("unet"))".contains("\"unet\""))
    #expect("\(try model.configuration("scheduler"))".contains("\"scheduler\""))
    let named = try model.configuration("tokenizer", file: "config.json")
    #expect("\(named)".contains("\"tokenizer\""))
    let missing = try refusal { try model.configuration("tokenizer") }
    #expect(missing.code == .missingFile && missing.file.hasSuffix("tokenizer_config.json"))
  }

  @Test(arguments: [
    "\"StableDiffusionXLPipeline\"", "\"FluxPipeline\"", "\"\"",
    "\"StableDiffusionInpaintPipeline\"",
  ])
  func otherPipelinesAreRefusedByName(_ name: String) throws {
    let error = try error(index(pipeline: name))
    #expect(error.code == .unsupported)
    #expect(
      error.message == "the pipeline class is \(name), expected StableDiffusionPipeline")
  }

  @Test func aPipelineWithoutNameIsRefused() throws {
    for text in [index(pipeline: "null"), index([("_class_name", nil)]), "{}"] {
      #expect(try error(text).message.contains("the pipeline class is not named"))
    }
  }

  @Test(arguments: [
    ("unet", "UNet3DConditionModel"), ("vae", "VQModel"), ("vae", "AutoencoderTiny"),
    ("text_encoder", "CLIPTextModelWithProjection"), ("text_encoder", "T5EncoderModel"),
    ("tokenizer", "T5Tokenizer"), ("unet", "FlaxUNet2DConditionModel"),
  ])
  func otherClassesAreRefusedByName(_ component: String, _ name: String) throws {
    let error = try error(index([(component, "[\"diffusers\",\"\(name)\"]")]))
    #expect(error.code == .unsupported)
    #expect(error.message.hasPrefix("the component \(component) is of class \"\(name)\", expected"))
  }

  @Test func unknownComponentsAreRefusedByName() throws {
    for (name, value) in [
      ("text_encoder_2", "[\"transformers\",\"CLIPTextModel\"]"), ("controlnet", "[\"d\",\"C\"]"),
      ("force_zeros", "true"),
    ] {
      let error = try error(index([(name, value)]))
      #expect(error.code == .unsupported)
      #expect(error.message.hasPrefix("the component \"\(name)\" is unknown"))
    }
  }

  @Test(arguments: ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
  func everyComponentMustBeNamedAndHaveItsFolder(_ component: String) throws {
    for value in [nil, "null", "[null,null]"] as [String?] {
      let error = try error(index([(component, value)]))
      #expect(error.message == "the component \(component) is missing or null")
    }
    for value in ["1", "[]", "[\"a\"]", "[\"a\",1]", "[\"a\",\"b\",\"c\"]", "{}", "\"x\""] {
      let error = try error(index([(component, value)]))
      #expect(error.code == .malformed && error.message.contains("is not a pair of library and"))
    }
    let folder = try folder(index())
    try FileManager.default.removeItem(atPath: folder[component])
    let error = try refusal { try ModelFolder(path: folder.path) }
    #expect(error.code == .missingFile && error.file == folder[component])
  }

  @Test func aMissingOrDamagedIndexIsRefused() throws {
    let folder = try TemporaryFolder()
    #expect(try refusal { try ModelFolder(path: folder["none"]) }.code == .missingFile)
    let missing = try refusal { try ModelFolder(path: folder.path) }
    #expect(missing.code == .missingFile && missing.file == folder["model_index.json"])
    for text in ["", "{", "[]", "null", "{\"a\":1,\"a\":2}", "\u{feff}{}"] {
      #expect(try error(text).code == .malformed)
    }
    let long = "{\"_class_name\":\"" + String(repeating: "x", count: 1 << 20) + "\"}"
    #expect(try error(long).message.contains("at most 1048576 are accepted"))
  }

  @Test func damagedConfigurationsAreRefused() throws {
    let folder = try folder(index())
    let model = try ModelFolder(path: folder.path)
    for text in ["", "[1]", "{\"a\":}", "{\"a\":NaN}"] {
      try folder.write(text, to: "unet/config.json")
      let error = try refusal { try model.configuration("unet") }
      #expect(error.code == .malformed && error.file == folder["unet/config.json"])
    }
  }

  @Test(arguments: [
    ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"),
    ("text_encoder", "model"),
  ])
  func weightsAreChosenInAFixedOrder(_ component: String, _ stem: String) throws {
    let folder = try folder(index())
    let model = try ModelFolder(path: folder.path)
    func writeIndex(_ name: String, _ shard: String) throws {
      try writeWeights(name, to: folder["\(component)/\(shard)"])
      try folder.write("{\"weight_map\":{\"\(name)\":\"\(shard)\"}}", to: "\(component)/\(name)")
    }
    let nothing = try refusal { try model.weights(component) }
    #expect(nothing.code == .missingFile && nothing.message.contains("\(stem).safetensors"))
    try folder.write("{}", to: "\(component)/x.bin.index.json")
    let pickled = try refusal { try model.weights(component) }
    #expect(pickled.code == .unsupported && pickled.file.hasSuffix("x.bin.index.json"))
    #expect(pickled.message.contains("only a whole"))
    let pickleStem = component == "text_encoder" ? "pytorch_model" : stem
    for name in ["\(pickleStem).fp16.bin", "\(pickleStem).bin"] {
      let tensor = Pickled.tensor(Pickled.storage("0", count: 12), shape: [12], strides: [1])
      try folder.write(
        Pickled.file(Pickled.dictionary([(name, tensor)])), to: "\(component)/\(name)")
      #expect(try model.weights(component).keys == [name])
      #expect(try model.weightFiles(component) == [folder["\(component)/\(name)"]])
    }
    // From the last choice to the first: each new file is preferred to those before.
    try writeIndex("\(stem).safetensors.index.fp16.json", "s1.safetensors")
    #expect(try model.weights(component).keys == ["\(stem).safetensors.index.fp16.json"])
    try writeIndex("\(stem).fp16.safetensors.index.json", "s2.safetensors")
    #expect(try model.weights(component).keys == ["\(stem).fp16.safetensors.index.json"])
    #expect(
      try model.weightFiles(component)
        == ["\(stem).fp16.safetensors.index.json", "s2.safetensors"].map {
          folder["\(component)/\($0)"]
        })
    try writeWeights("half", to: folder["\(component)/\(stem).fp16.safetensors"])
    #expect(try model.weights(component).keys == ["half"])
    try writeIndex("\(stem).safetensors.index.json", "s3.safetensors")
    #expect(try model.weights(component).keys == ["\(stem).safetensors.index.json"])
    try writeWeights("whole", to: folder["\(component)/\(stem).safetensors"])
    #expect(try model.weights(component).keys == ["whole"])
    #expect(try model.weightFiles(component) == [folder["\(component)/\(stem).safetensors"]])
  }

  @Test func aFolderInPlaceOfWeightsIsRefused() throws {
    let folder = try folder(index())
    try folder.write("x", to: "unet/diffusion_pytorch_model.safetensors/x")
    let model = try ModelFolder(path: folder.path)
    #expect(try refusal { try model.weights("unet") }.message == "is a folder, expected a file")
  }
}
