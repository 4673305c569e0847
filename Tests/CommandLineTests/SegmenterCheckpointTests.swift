import CanonicalJSON
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("triptych checkpoint, of segmenters")
struct SegmenterCheckpointTests {
  private func file(
    in folder: TemporaryFolder, _ change: (inout [String: Tensor]) -> Void = { _ in }
  ) throws -> String {
    var tensors = try FormulaWeights(
      of: "vitb32", notedIn: Fixture("openvocabulary/lseg-small.safetensors"), seed: 3
    ).tensors(behind: "net.")
    change(&tensors)
    var writer = SafetensorsWriter()
    for (key, tensor) in tensors { writer.add(key, tensor) }
    try writer.write(to: folder["lseg.safetensors"])
    return folder["lseg.safetensors"]
  }

  @Test func aWholeFileFits() async throws {
    let folder = try TemporaryFolder()
    let path = try file(in: folder)
    let outcome = try await Program.run(["checkpoint", path, "--json"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let report = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
    #expect(report["kind"] == "lseg" && report["configuration"]?["backbone"] == "clip_vitb32_384")
    #expect(report["configuration"]?["head_block"] == true)
    #expect(report["missing"] == [] && report["unexpected"] == [] && report["misshapen"] == [])
    #expect((report["parameters"]?.integer ?? 0) > 100_000 && report["dtypes"]?["F32"] != nil)
    let skipped = report["skipped"]?.elements?.compactMap(\.string) ?? []
    #expect(skipped.contains("net.pretrained.model.norm.weight"))
    let text = try await Program.run(["checkpoint", path])
    #expect(text.output.contains("kind: lseg") && text.output.contains("no text tower"))
  }

  @Test func whatDoesNotFitIsListed() async throws {
    let folder = try TemporaryFolder()
    let missing = "net.pretrained.act_postprocess1.4.bias"
    let path = try file(in: folder) {
      $0[missing] = nil
      $0["net.scratch.stray"] = .zeros([2])
      $0["net.scratch.head1.bias"] = .zeros([2])
    }
    let outcome = try await Program.run(["checkpoint", path, "--json"])
    #expect(outcome.code == 1 && outcome.error.isEmpty)
    let report = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
    #expect(report["missing"]?.elements?.map { $0["key"] } == [.string(missing)])
    #expect(report["unexpected"]?.elements?.map { $0["key"] } == ["net.scratch.stray"])
    #expect(report["misshapen"]?.elements?.first?["found"] == [2])
  }
}
