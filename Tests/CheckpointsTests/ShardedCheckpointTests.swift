import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct ShardedCheckpointTests {
  private let first = "model-00001-of-00002.safetensors"
  private let second = "model-00002-of-00002.safetensors"

  /// A folder with the reference library's two shards and an index with this map.
  private func folder(weightMap: String) throws -> (TemporaryFolder, String) {
    let folder = try TemporaryFolder()
    for name in [first, second] {
      try folder.write(try fileBytes(fixturePath("shards/\(name)")), to: name)
    }
    let path = try folder.write(
      "{\"metadata\":{\"total_size\":32},\"weight_map\":\(weightMap)}",
      to: "model.safetensors.index.json")
    return (folder, path)
  }

  private func error(weightMap: String) throws -> CheckpointError {
    let (folder, path) = try folder(weightMap: weightMap)
    return try withExtendedLifetime(folder) {
      try refusal { try ShardedCheckpoint(indexPath: path) }
    }
  }

  @Test func theReferenceLibrarysShardsAreOneSource() throws {
    let index = fixturePath("shards/model.safetensors.index.json")
    let source = try ShardedCheckpoint(indexPath: index)
    #expect(source.name == index)
    #expect(source.keys == ["a.bias", "a.weight", "b.weight"])
    #expect(source.record("b.weight") == TensorRecord(type: .bfloat16, shape: [2, 3]))
    #expect(source.record("c") == nil)
    #expect(try source.tensor("a.weight").values == [-1.75, -1.5, -1.25, -1])
    #expect(try source.tensor("b.weight").values == [-1.75, -1.5, -1.25, -1, -0.75, -0.5])
    #expect(try refusal { try source.tensor("c") }.code == .missingTensor)
    #expect(
      source.files == [index, fixturePath("shards/\(first)"), fixturePath("shards/\(second)")])
  }

  @Test(arguments: [
    "../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..", ".", "",
    "a\\\\b.safetensors",
    "model.bin", "a\\u0000.safetensors", "x\\n.safetensors",
  ])
  func shardsThatAreNotPlainNamesAreRefused(_ name: String) throws {
    let error = try error(weightMap: "{\"a.weight\":\"\(name)\"}")
    #expect(error.code == .malformed && error.key == "a.weight")
    #expect(error.message.contains("is not the plain name of a .safetensors file"))
  }

  @Test func aMissingShardIsNamed() throws {
    let error = try error(weightMap: "{\"x\":\"model-00003.safetensors\"}")
    #expect(error.code == .missingFile && error.file.hasSuffix("/model-00003.safetensors"))
    #expect(error.message.contains("the shard is missing") && error.errorNumber == ENOENT)
  }

  @Test func indexAndShardsMustListTheSameKeys() throws {
    let lacking = try error(
      weightMap: "{\"a.weight\":\"\(first)\",\"a.bias\":\"\(first)\",\"b.weight\":\"\(second)\","
        + "\"c\":\"\(second)\"}")
    #expect(lacking.code == .missingTensor && lacking.key == "c")
    #expect(lacking.message.contains("places this tensor in \(second), which does not hold it"))
    let unlisted = try error(
      weightMap: "{\"a.weight\":\"\(first)\",\"b.weight\":\"\(second)\"}")
    #expect(unlisted.code == .malformed && unlisted.key == "a.bias")
    #expect(unlisted.message.contains("does not list it"))
    let elsewhere = try error(
      weightMap: "{\"a.weight\":\"\(first)\",\"a.bias\":\"\(second)\",\"b.weight\":\"\(second)\"}")
    #expect(elsewhere.key == "a.bias" && elsewhere.message.contains("places it in \(second)"))
    let twice = try error(weightMap: "{\"a.weight\":\"\(first)\",\"a.weight\":\"\(second)\"}")
    #expect(twice.code == .malformed && twice.message.contains("\"a.weight\" occurs twice"))
  }

  @Test func aKeyInTwoShardsIsRefused() throws {
    let (folder, path) = try folder(
      weightMap: "{\"a.weight\":\"\(first)\",\"a.bias\":\"\(first)\",\"z\":\"\(second)\"}")
    var writer = SafetensorsWriter()
    writer.add("a.weight", Tensor([1], shape: [1]))
    writer.add("z", Tensor([1], shape: [1]))
    try writer.write(to: folder[second])
    let error = try refusal { try ShardedCheckpoint(indexPath: path) }
    #expect(error.file == folder[second] && error.key == "a.weight")
    #expect(error.message.contains("places it in \(first)"))
  }

  @Test(arguments: [
    "", "[]", "{}", "{\"weight_map\":{}}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}",
    "{\"weight_map\":{\"a\":\"b.safetensors\"}", "{\"metadata\":{}}", "{\"weight_map\":null}",
  ])
  func aDamagedIndexIsRefused(_ text: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: "model.safetensors.index.json")
    let error = try refusal { try ShardedCheckpoint(indexPath: path) }
    #expect(error.code == .malformed && error.file == path)
  }

  @Test func aDamagedShardIsRefusedUnderItsOwnName() throws {
    let (folder, path) = try folder(
      weightMap: "{\"a.weight\":\"\(first)\",\"a.bias\":\"\(first)\",\"b.weight\":\"\(second)\"}")
    #expect(try ShardedCheckpoint(indexPath: path).keys.count == 3)
    #expect(truncate(folder[second], 60) == 0)
    let error = try refusal { try ShardedCheckpoint(indexPath: path) }
    #expect(error.code == .malformed && error.file == folder[second])
  }
}
