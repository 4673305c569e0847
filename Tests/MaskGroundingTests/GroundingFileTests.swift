import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
import MaskGrounding
import TensorCore
import TestSupport
import Testing

/// What a module's file says of itself, and what is refused.
@Suite struct GroundingFileTests {
  static func unet(_ model: String) throws -> UNetConfiguration {
    let url = Fixture.folder.appendingPathComponent("diffusion/\(model)/unet/config.json")
    return try UNetConfiguration(JSONValue.parse(Data(contentsOf: url)), file: "unet/config.json")
  }

  private func error(_ body: () throws -> Void) throws -> CheckpointError {
    let error = try #require(throws: CheckpointError.self, performing: body)
    #expect(!error.description.contains("\n"))
    return error
  }

  /// Reads our fixture with its configuration changed.
  private func read<R>(
    _ change: (inout [JSONValue.Member]) -> Void, _ body: (GroundingWeights) throws -> R
  ) throws -> R {
    let source = try SafetensorsFile(path: GroundingModuleTests.path)
    let text = try #require(source.metadata["triptych_grounding"])
    var members = try #require(try JSONValue.parse(Array(text.utf8)).members)
    change(&members)
    let folder = try TemporaryFolder()
    let path = folder["changed.safetensors"]
    var writer = SafetensorsWriter(
      metadata: ["triptych_grounding": JSONValue.object(members).text])
    for key in source.keys { writer.add(key, try source.tensor(key)) }
    try writer.write(to: path)
    return try body(GroundingWeights(path: path))
  }

  /// The error of opening our fixture with its configuration changed.
  private func refusal(_ change: (inout [JSONValue.Member]) -> Void) throws -> CheckpointError {
    try error { try read(change) { _ = try $0.module() } }
  }

  @Test func aFileNamesTheUNetItBelongsTo() throws {
    let weights = try GroundingWeights(path: GroundingModuleTests.path)
    let configuration = weights.configuration
    #expect(
      configuration.levels.map(\.channels) == [
        [8, 8, 16, 8, 8], [8, 16, 24, 16], [16, 24, 24, 24],
      ])
    #expect(configuration.steps == [.fromEnd(0)] && configuration.prediction == .noise)
    #expect(configuration.queryPrefix == "a photograph of a" && configuration.pooling == .mean)
    try configuration.checkFits(Self.unet("tiny-sd1"), prediction: .noise, file: weights.path)
  }

  @Test func anotherUNetIsRefusedWithTheChannelsThatDiffer() throws {
    let configuration = try GroundingWeights(path: GroundingModuleTests.path).configuration
    let other = try error {
      try configuration.checkFits(Self.unet("tiny-sd2"), file: "ours.safetensors")
    }
    #expect(other.message.contains("3 levels, this one has 2"), "\(other)")
    var wide = try Self.unet("tiny-sd1")
    wide.widths[1] = 32
    let wider = try error { try configuration.checkFits(wide, file: "ours.safetensors") }
    #expect(
      wider.message.contains("at level 0 it reads 16 channels of out3, where this one has 32"),
      "\(wider)")
    var deep = try Self.unet("tiny-sd1")
    deep.blockCounts[2] = 2
    let deeper = try error { try configuration.checkFits(deep, file: "ours.safetensors") }
    #expect(
      deeper.message.contains("4 blocks of 16, 24, 24, 24 channels, this one has 6"), "\(deeper)")
    let velocity = try error {
      try configuration.checkFits(Self.unet("tiny-sd1"), prediction: .velocity, file: "x")
    }
    #expect(velocity.message.contains("predicts epsilon, this one v_prediction"))
    var text = try Self.unet("tiny-sd1")
    text.textWidth = 48
    let texts = try error { try configuration.checkFits(text, file: "x") }
    #expect(texts.message.contains("texts of width 32, this one has 48"))
  }

  @Test func thePublishedModuleIsForStableDiffusion1() throws {
    let json: JSONValue = [
      "_class_name": "UNet2DConditionModel", "cross_attention_dim": 768, "attention_head_dim": 8,
    ]
    let unet = try UNetConfiguration(json, file: "unet/config.json")
    try GroundingConfiguration.published.checkFits(unet, prediction: .noise, file: "x")
    let fitted = GroundingConfiguration(for: unet, prediction: .noise)
    #expect(fitted.levels == GroundingConfiguration.published.levels)
    #expect(fitted.mapWidth == 240 && fitted.hiddenWidth == 2048)
    // 7680, 7040, 4160 and 2560 channels, each for two predictions.
    #expect(fitted.levels.map { $0.channels.reduce(0, +) } == [2560, 4160, 7040, 7680])
  }

  @Test(
    arguments: [
      ("levels", JSONValue.array([])), ("levels", [["width": 0, "channels": [1]]]),
      ("levels", [["width": 16]]), ("width", 25), ("width", -1), ("heads", 0),
      ("layers", 1_000_000),
      ("patch", 1.5), ("presence_threshold", 1.1), ("statistics", "batch"), ("affine_norms", 1),
      ("epsilon", 0),
      ("steps", [[:]]),
      ("steps", [["from_end": -1]]), ("steps", [["after": 1]]), ("prediction", "flow"),
      ("pixels_per_cell", 0), ("pooling", "max"), ("query_prefix", 7), ("format", 2),
      ("another", 1), ("text_width", .null),
    ] as [(String, JSONValue)])
  func configurationsOutOfRangeAreRefusedByKey(key: String, value: JSONValue) throws {
    let found = try refusal { members in
      members.removeAll { $0.name == key }
      members.append(.init(key, value))
    }
    #expect(found.code == .malformed, "\(found)")
    let message = found.message
    // A level's fault is named by the key within it.
    #expect([key, "width", "heads", "channels"].contains { message.contains($0) }, "\(found)")
  }

  @Test func aFileMaySayWhatPresenceIsEnough() throws {
    let path = GroundingModuleTests.path
    #expect(try GroundingWeights(path: path).configuration.presenceThreshold == 0.5)
    let own = try read({ $0.append(.init("presence_threshold", 0.125)) }) { $0.configuration }
    #expect(own.presenceThreshold == 0.125)
    #expect(own.json["presence_threshold"] == 0.125)
  }

  @Test func missingKeysAreNamed() throws {
    let found = try refusal { $0.removeAll { $0.name == "steps" } }
    #expect(found.message.contains("\"steps\" is missing"))
  }

  @Test func weightsThatDoNotMakeTheModuleAreNamed() throws {
    let wide = try refusal { members in
      members.removeAll { $0.name == "hidden_width" }
      members.append(.init("hidden_width", 41))
    }
    #expect(wide.code == .wrongShape && wide.key?.contains("linear1") == true)
    let fewer = try refusal { members in
      members.removeAll { $0.name == "layers" }
      members.append(.init("layers", 1))
    }
    #expect(fewer.code == .unusedTensors && fewer.key?.contains("decoder.layers.1") == true)
  }

  @Test func filesThatAreNoModuleAreRefused() throws {
    for name in ["checkpoints/torch/module.pth", "checkpoints/every-type.safetensors"] {
      let path = Fixture.folder.appendingPathComponent(name).path
      let found = try error { _ = try GroundingWeights(path: path) }
      #expect(found.code == .unsupported && found.message.contains("no grounding module"))
    }
  }
}
