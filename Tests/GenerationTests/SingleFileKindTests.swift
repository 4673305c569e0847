import CanonicalJSON
import Checkpoints
import DatasetFormat
import Foundation
import Generation
import LatentDiffusion
import TestSupport
import TextConditioning
import Testing

/// What files of the published shapes are taken for; their tensors are holes.
@Suite struct SingleFileKindTests {
  /// Opens a file of a published checkpoint's shapes, changed.
  private func open<R>(
    _ kind: String, metadata: [String: String] = [:], options: SingleFileOptions = .init(),
    change: (inout [String: [Int]]) -> Void = { _ in }, _ body: (SingleFileModel) throws -> R
  ) throws -> R {
    var shapes = try HollowFile.published(kind)
    change(&shapes)
    return try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try HollowFile.write(shapes, to: path, metadata: metadata)
      return try body(try SingleFileModel(path: path, options: options))
    }
  }

  private func refusal(
    _ kind: String, change: (inout [String: [Int]]) -> Void
  ) throws -> CheckpointError {
    try #require(throws: CheckpointError.self) { try open(kind, change: change) { _ in } }
  }

  @Test(arguments: ["sd15", "sd21"])
  func everyTensorGetsTheNameAndShapeThatDiffusersHas(_ kind: String) throws {
    try open(kind) { model in
      #expect(model.unexpected.isEmpty && model.notices.isEmpty)
      for part in ["unet", "vae", "text_encoder"] {
        let source = model.weights(part)
        let lines = source.keys.map { key in
          let shape = source.record(key)?.shape.map { "\($0)" }.joined(separator: ",") ?? ""
          return "\(key) \(shape)\n"
        }
        let expected = try HollowFile.digest(kind, part)
        #expect(
          ContentHash.sha256(lines.sorted().joined().utf8) == expected, "\(kind) \(part)")
      }
    }
  }

  @Test func theFirstKindsConfigurationIsThePublishedOne() throws {
    try open("sd15") { model in
      #expect(model.kind == .first && model.prediction == .noise)
      let unet = try UNetConfiguration(model.configuration(of: "unet"), file: "unet")
      #expect(unet.widths == [320, 640, 1280, 1280] && unet.headCounts == [8, 8, 8, 8])
      #expect(unet.textWidth == 768 && unet.sampleSize == 64 && unet.timeWidth == 1280)
      #expect(unet.blockCounts == [2, 2, 2, 2] && unet.transformerCounts == [1, 1, 1, 1])
      #expect(unet.downAttention == [true, true, true, false])
      #expect(unet.upAttention == [false, true, true, true] && unet.groups == 32)
      let text = try CLIPTextConfiguration(model.configuration(of: "text_encoder"), file: "text")
      #expect(text.width == 768 && text.layerCount == 12 && text.headCount == 12)
      #expect(text.innerWidth == 3072 && text.activation == .quickGELU)
      #expect(text.vocabularySize == 49408 && text.positionCount == 77)
      let vae = try AutoencoderConfiguration(model.configuration(of: "vae"), file: "vae")
      #expect(vae.widths == [128, 256, 512, 512] && vae.blockCount == 2 && vae.scale == 0.18215)
      #expect(vae.latentChannels == 4 && vae.groups == 32 && vae.hasQuantConvolution)
      let scheduler = try SchedulerConfiguration(
        model.configuration(of: "scheduler"), file: "scheduler")
      #expect(try scheduler.kind() == .ddim && scheduler.prediction == .noise)
      #expect(scheduler.betaStart == 0.00085 && scheduler.betaEnd == 0.012)
      #expect(scheduler.stepsOffset == 1 && scheduler.clipRange == nil && !scheduler.endsAtOne)
    }
  }

  @Test func theSecondKindIsAskedForItsPrediction() throws {
    try open("sd21") { model in
      #expect(model.kind == .second && model.prediction == nil)
      for part in ["unet", "scheduler"] {
        let error = #expect(throws: GenerationError.self) { try model.configuration(of: part) }
        #expect(error?.code == .usage && error?.place == "--prediction")
      }
      let text = try CLIPTextConfiguration(model.configuration(of: "text_encoder"), file: "text")
      #expect(text.width == 1024 && text.layerCount == 23 && text.headCount == 16)
      #expect(text.activation == .gelu)
      // The last layer of the published tower is not read.
      #expect(model.skipped.count { $0.contains("resblocks.23.") } == 12)
    }
    for (given, size) in [(SingleFileOptions.Prediction.noise, 64), (.velocity, 96)] {
      var options = SingleFileOptions()
      options.prediction = given
      try open("sd21", options: options) { model in
        let unet = try UNetConfiguration(model.configuration(of: "unet"), file: "unet")
        #expect(unet.sampleSize == size && unet.headCounts == [5, 10, 20, 20])
        #expect(unet.textWidth == 1024)
      }
    }
  }

  @Test(arguments: [
    ("modelspec.predict_key", "v", SingleFileOptions.Prediction.velocity),
    ("modelspec.predict_key", "epsilon", .noise),
    ("modelspec.prediction_type", "v", .velocity),
    ("modelspec.architecture", "stable-diffusion-v2-512", .noise),
    ("modelspec.architecture", "stable-diffusion-v2-768-v", .velocity),
  ])
  func metadataTellsThePrediction(
    _ key: String, _ value: String, _ expected: SingleFileOptions.Prediction
  ) throws {
    try open("sd21", metadata: [key: value, "modelspec.license": "some"]) { model in
      #expect(model.prediction == expected)
      #expect(model.notices.contains { $0.contains(key) })
      let licence = try model.licence()
      #expect(licence == "some")
    }
    var options = SingleFileOptions()
    options.prediction = expected == .noise ? .velocity : .noise
    try open("sd21", metadata: [key: value], options: options) {
      #expect($0.prediction == options.prediction && $0.notices.isEmpty)
    }
  }

  @Test func resolutionAndMarksCount() throws {
    try open("sd15", metadata: ["modelspec.resolution": "768x768"]) { model in
      let unet = try UNetConfiguration(model.configuration(of: "unet"), file: "unet")
      #expect(unet.sampleSize == 96)
    }
    try open("sd21", change: { $0["v_pred"] = [1] }) { #expect($0.prediction == .velocity) }
    try open("sd15", change: { $0["v_pred"] = [1] }) { #expect($0.prediction == .velocity) }
  }

  @Test func aTowerThatWasSavedWithoutItsLastLayerIsReadWhole() throws {
    try open("sd21", change: { shapes in shapes = shapes.filter { !$0.key.contains(".23.") } }) {
      let text = try CLIPTextConfiguration($0.configuration(of: "text_encoder"), file: "text")
      #expect(text.layerCount == 23 && $0.notices.isEmpty)
    }
  }

  @Test func textKeysWithoutTheWrapperAreRead() throws {
    let change: (inout [String: [Int]]) -> Void = { shapes in
      shapes = Dictionary(
        uniqueKeysWithValues: shapes.map {
          ($0.key.replacing("transformer.text_model.", with: "transformer."), $0.value)
        })
    }
    try open("sd15", change: change) { model in
      #expect(model.kind == .first)
      let source = model.weights("text_encoder")
      #expect(source.record("text_model.final_layer_norm.weight")?.shape == [768])
    }
  }

  @Test(arguments: [
    ("model.diffusion_model.input_blocks.0.0.weight", [320, 9, 3, 3], "inpainting"),
    ("model.diffusion_model.input_blocks.0.0.weight", [320, 8, 3, 3], "InstructPix2Pix"),
    ("conditioner.embedders.1.model.ln_final.weight", [1280], "Stable Diffusion XL"),
    ("conditioner.embedders.0.model.ln_final.weight", [1280], "refiner"),
    ("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.bias", [9], "Stable Diffusion 3"),
    ("model.diffusion_model.double_blocks.0.img_attn.qkv.weight", [9], "Flux"),
    ("control_model.time_embed.0.weight", [9], "ControlNet"),
    ("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", [4, 4], "LoRA"),
  ])
  func otherModelsAreRefusedByName(_ key: String, _ shape: [Int], _ name: String) throws {
    let error = try refusal("sd15") { $0[key] = shape }
    #expect(error.code == .unsupported && error.message.contains(name), "\(error)")
  }

  @Test func partsAloneAreRefusedByName() throws {
    let vae = try refusal("sd15") { shapes in
      shapes = shapes.filter { $0.key.hasPrefix("first_stage_model.") }
    }
    #expect(vae.message.contains("an autoencoder (VAE) alone"))
    for (prefix, name) in [
      ("first_stage_model.", "no autoencoder"), ("cond_stage_model.", "no text encoder"),
    ] {
      let error = try refusal("sd15") { shapes in
        shapes = shapes.filter { !$0.key.hasPrefix(prefix) }
      }
      #expect(error.code == .missingTensor && error.message.contains(name))
    }
    let nothing = try refusal("sd15") { $0 = ["weights": [3]] }
    #expect(nothing.message.contains("none of the parts"))
    let mixed = try refusal("sd21") { shapes in
      let first = "model.diffusion_model.middle_block.1.proj_in.weight"
      shapes[first] = [1280, 1280, 1, 1]
    }
    #expect(mixed.message.contains("neither Stable Diffusion 1 nor 2"))
  }

  @Test func sizesThatNoModelHasAreToldOrRefused() throws {
    // Half as many channels at the first level: still heads and groups that can be.
    let halved: (inout [String: [Int]]) -> Void = { shapes in
      shapes = shapes.mapValues { $0.map { $0 == 320 ? 160 : $0 } }
    }
    try open("sd15", change: halved) { model in
      #expect(model.notices.contains { $0.contains("8 attention heads a level") })
      let unet = try UNetConfiguration(model.configuration(of: "unet"), file: "unet")
      #expect(unet.widths[0] == 160)
    }
    try open(
      "sd15",
      change: { shapes in
        shapes = shapes.mapValues { $0.map { $0 == 320 ? 40 : $0 } }
      }
    ) { model in
      let error = #expect(throws: GenerationError.self) { try model.configuration(of: "unet") }
      #expect(error?.code == .usage && error?.message.contains("--model-config") == true)
    }
  }

  @Test func strayTensorsAreToldAndThoseInsideAPartAreLeftToTheLayers() throws {
    try open("sd15", change: { $0["embedding_manager.x"] = [2] }) { model in
      #expect(model.unexpected.map(\.key) == ["embedding_manager.x"])
      #expect(model.notices.contains { $0.contains("embedding_manager.x") })
    }
    let inside = "model.diffusion_model.middle_block.7.weight"
    try open("sd15", change: { $0[inside] = [2] }) { model in
      #expect(model.unexpected.isEmpty)
      #expect(model.weights("unet").keys.contains(inside))
    }
  }

  @Test func aTokenizerOfAnotherModelIsRefused() throws {
    var options = SingleFileOptions()
    options.tokenizer = Fixture.folder.appendingPathComponent("text/small").path
    try open("sd15", options: options) { model in
      let error = #expect(throws: GenerationError.self) { try model.loadTokenizer() }
      #expect(error?.code == .malformed && error?.message.contains("799") == true)
    }
    try open("sd15") { model in
      let error = #expect(throws: GenerationError.self) { try model.loadTokenizer() }
      #expect(error?.code == .missingInput && error?.message.contains("--tokenizer") == true)
    }
  }

  @Test(arguments: [("sd15", true), ("sd21", false)])
  func theKindDecidesThePadding(_ kind: String, _ padsWithEnd: Bool) throws {
    let small = Fixture.folder.appendingPathComponent("text/small").path
    let change: (inout [String: [Int]]) -> Void = { shapes in
      for (key, shape) in shapes where shape.first == 49408 { shapes[key] = [799, shape[1]] }
    }
    try withTemporaryFolder { folder in
      // Vocabulary and merges are enough.
      for name in ["vocab.json", "merges.txt"] {
        try FileManager.default.copyItem(atPath: "\(small)/\(name)", toPath: "\(folder)/\(name)")
      }
      var options = SingleFileOptions()
      options.tokenizer = folder
      try open(kind, options: options, change: change) { model in
        let tokenizer = try model.loadTokenizer()
        #expect(tokenizer.padID == (padsWithEnd ? tokenizer.endID : 0))
        #expect(tokenizer.endID == 798 && tokenizer("a").count == 77)
      }
    }
  }
}
