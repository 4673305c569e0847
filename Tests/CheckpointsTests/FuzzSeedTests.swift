import Checkpoints
import Foundation
import TestSupport
import Testing

/// What the fuzz targets found worth keeping (Tests/Fuzz), without the fuzzer.
@Suite struct FuzzSeedTests {
  @Test(arguments: ["safetensors", "zip", "pickle"])
  func everySeedIsReadOrRefusedWithOneLine(_ target: String) throws {
    let seeds = Fixture.folder.deletingLastPathComponent()
      .appendingPathComponent("Fuzz/Seeds/\(target)")
    let folder = try TemporaryFolder()
    let names = try FileManager.default.contentsOfDirectory(atPath: seeds.path)
    var refused = 0
    for name in names.sorted() {
      let bytes = try fileBytes(seeds.appendingPathComponent(name).path)
      let path = try folder.write(target == "pickle" ? fuzzedArchive(of: bytes) : bytes, to: "x")
      do {
        let source = try WeightFile.open(path)
        for key in source.keys { _ = try source.tensor(key) }
      } catch let error as CheckpointError {
        #expect([.malformed, .unsupported, .notFinite].contains(error.code), "\(name): \(error)")
        #expect(error.description.utf8.allSatisfy { $0 >= 0x20 }, "\(name): \(error)")
        refused += 1
      }
    }
    print("\(target): seeds refused: \(refused) of \(names.count)")
    #expect(names.count > 20 && 0 < refused && refused < names.count)
  }
}
