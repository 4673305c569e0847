import DatasetFormat
import Foundation
import Generation
import TensorCore
import TestSupport
import Testing

@Suite struct ModelFileTests {
  private var tiny: String { Fixture.folder.appendingPathComponent("diffusion/tiny-sd2").path }

  private func licence(_ card: String) throws -> String? {
    try withTemporaryFolder { folder in
      try card.write(toFile: folder + "/README.md", atomically: false, encoding: .utf8)
      return try ModelCard.licence(of: folder)
    }
  }

  @Test func theLicenceIsFoundInACard() throws {
    #expect(try licence("---\ntags: [a]\nlicense: openrail\n---\n# Model\n") == "openrail")
    #expect(
      try licence("# Licence\n\nLicence: MIT,\nmostly.\n\nMore.\n") == "Licence: MIT, mostly.")
    #expect(try licence("# Model\n\nNothing.\n") == nil)
    #expect(try ModelCard.licence(of: tiny) == nil)
  }

  @Test func digestsAreThoseOfTheStandard() throws {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(ContentHash.sha256("abc".utf8) == abc)
    try withTemporaryFolder { folder in
      try "abc".write(toFile: folder + "/f", atomically: false, encoding: .utf8)
      #expect(try FileDigest.sha256(of: folder + "/f") == abc)
      #expect(throws: GenerationError.self) { try FileDigest.sha256(of: folder + "/g") }
    }
  }

  @Test func theFingerprintNamesEveryFileBelowTheModel() throws {
    let fingerprint = try ModelFingerprint(try StableDiffusionModel(path: tiny))
    let names = fingerprint.files.map(\.name)
    #expect(names == names.sorted() && names.contains("unet/config.json"))
    #expect(names.contains { $0.hasPrefix("unet/") && $0.hasSuffix(".safetensors") })
    #expect(names.contains("tokenizer/merges.txt") && names.allSatisfy { !$0.hasPrefix("/") })
    #expect(fingerprint.sha256.count == 64)
    #expect(try ModelFingerprint(try StableDiffusionModel(path: tiny + "/")) == fingerprint)
  }

  @Test func latentsKeepDiffusersLayoutOnDisk() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/l.safetensors"
      // [n, h, w, c] = [2, 2, 3, 4], each value its own position.
      let latents = Tensor((0..<48).map(Float.init), shape: [2, 2, 3, 4])
      try LatentsFile.write(latents, to: path)
      let stored = try Fixture(file: URL(fileURLWithPath: path), name: "latents").tensor("latents")
      #expect(stored.shape == [2, 4, 2, 3])
      #expect(Array(stored.values.prefix(7)) == [0, 4, 8, 12, 16, 20, 1])
      #expect(stored.values[24] == 24)
      let read = try LatentsFile.read(path, channels: 4)
      #expect(read.shape == [2, 2, 3, 4] && read.values == latents.values)
      #expect(throws: GenerationError.self) { try LatentsFile.read(path, channels: 3) }
    }
  }

  @Test func diskIsEstimated() throws {
    #expect(DiskEstimate(count: .max, width: 4096, height: 4096, hasMasks: true).bytes == .max)
    let sizes = [false, true].map {
      DiskEstimate(count: 2, width: 64, height: 32, hasMasks: $0).bytes
    }
    #expect(sizes[1] - sizes[0] == 2 * (64 * 32 + 4096))
    #expect((DiskEstimate.free(at: "/tmp/not/there/yet") ?? 0) > 0)
    #expect(DiskEstimate.free(at: "/proc/x") == nil)
  }

  @Test func picturesDependOnTheirNumberAlone() throws {
    let model = try StableDiffusionModel(path: tiny)
    var settings = SamplingSettings(steps: 3, guidance: 4, width: 32, height: 24)
    settings.eta = 0.5
    let plan = try GenerationPlan(source: .prompts(["a", "b"]), count: 4, seed: 5)
    let maker = try SampleMaker(model: model, plan: plan, settings: settings)
    let together = try maker.make([0, 1, 2, 3]) { _ in }
    let alone = try [3, 1, 0, 2].map { try maker.make([$0]) { _ in }[0] }
    #expect(together.map(\.sample.index) == [0, 1, 2, 3])
    for picture in alone { #expect(together[picture.sample.index].image == picture.image) }
    #expect(together[0].image != together[2].image)
    #expect(together.allSatisfy { $0.attempt == 0 && $0.scores.isFinite && $0.labels == nil })
  }
}
