import Checkpoints
import Foundation
import Testing
import TextConditioning

/// Configurations of text encoders, right and wrong.
struct CLIPTextConfigurationTests {
  private static let good = """
    {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
     "vocab_size": 49408, "max_position_embeddings": 77, "hidden_act": "quick_gelu",
     "layer_norm_eps": 1e-05, "model_type": "clip_text_model", "torch_dtype": "float32"}
    """

  private func load(_ text: String) throws -> CLIPTextConfiguration {
    try TextFixtures.withFolder(["config.json": Data(text.utf8)]) {
      try CLIPTextConfiguration(file: $0 + "/config.json")
    }
  }

  private func changed(_ old: String, _ new: String) throws -> CheckpointError {
    let text = CLIPTextConfigurationTests.good.replacingOccurrences(of: old, with: new)
    #expect(text != CLIPTextConfigurationTests.good)
    return try #require(throws: CheckpointError.self) { _ = try load(text) }
  }

  @Test func theConfigurationOfStableDiffusionOneIsRead() throws {
    let configuration = try load(CLIPTextConfigurationTests.good)
    #expect(configuration.width == 768 && configuration.innerWidth == 3072)
    #expect(configuration.layerCount == 12 && configuration.headCount == 12)
    #expect(configuration.vocabularySize == 49408 && configuration.positionCount == 77)
    #expect(configuration.activation == .quickGELU && configuration.epsilon == 1e-5)
  }

  @Test func unknownActivationsAreRefusedByName() throws {
    let error = try changed("quick_gelu", "gelu_new")
    #expect(error.code == .unsupported && error.key == "hidden_act")
    #expect(error.message == "found \"gelu_new\", expected quick_gelu or gelu")
  }

  @Test func absentAndAbsurdSizesAreRefusedByKey() throws {
    for value in ["0", "-768", "1e300", "9223372036854775807", "\"768\"", "768.5", "null", "{}"] {
      let error = try changed("\"hidden_size\": 768", "\"hidden_size\": \(value)")
      #expect(error.code == .malformed && error.key == "hidden_size", "\(error)")
    }
    #expect(try changed("\"hidden_size\": 768,", "").key == "hidden_size")
    #expect(try changed("\"vocab_size\": 49408", "\"vocab_size\": 1e12").key == "vocab_size")
    #expect(
      try changed("\"num_attention_heads\": 12", "\"num_attention_heads\": 7").key
        == "num_attention_heads")
    #expect(try changed("1e-05", "0").key == "layer_norm_eps")
    #expect(try changed("1e-05", "\"x\"").key == "layer_norm_eps")
  }

  @Test func otherFilesAreRefused() throws {
    for text in ["", "[]", "{\"hidden_size\": 1", "\u{0}"] {
      let error = try #require(throws: CheckpointError.self) { _ = try load(text) }
      #expect(error.code == .malformed)
    }
    let whole = try #require(throws: CheckpointError.self) { _ = try load("{\"text_config\": {}}") }
    #expect(whole.code == .unsupported && whole.key == "text_config")
    let missing = try #require(throws: CheckpointError.self) {
      _ = try CLIPTextConfiguration(file: "/nonexistent/config.json")
    }
    #expect(missing.code == .missingFile)
  }
}
