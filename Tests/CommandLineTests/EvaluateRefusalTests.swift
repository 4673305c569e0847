import Foundation
import TestSupport
import Testing

/// What cannot be measured, in one line, on the built program.
@Suite struct EvaluateRefusalTests {
  private static let pack = Fixture.folder.appendingPathComponent("world").path

  private func refuse(_ arguments: [String], code: Int32, saying part: String) async throws {
    expectRefusal(
      try await Program.run(
        ["evaluate", "grounding", "--size", "32", "--steps", "2", "--model", Program.tinyModel]
          + arguments), code: code, saying: part)
  }

  @Test func badOptionsAreRefused() async throws {
    let world = ["--world", Self.pack]
    for (extra, part) in [
      (["--source", "composed"], "--world"), (world + ["--count", "0"], "--count"),
      (world + ["--objects", "0"], "--objects"), (world + ["--objects", "two"], "--objects"),
      (world + ["--oracle", "x"], "--oracle"), (world + ["--data", "x"], "--data"),
      (world + ["--baseline"], "--baseline"), (world + ["--ignore-band"], "--ignore-band"),
      (world + ["--sweep", "step"], "--output"),
      (world + ["--ddim-count", "2000"], "--ddim-count"),
      (world + ["--inversion", "noise", "--ddim-count", "2"], "--ddim-count"),
      (world + ["--mask-source", "grounding"], "--grounding"),
      (world + ["--batch", "0"], "--batch"),
      (
        world + ["--sweep", "data", "--output", "/tmp/x", "--grounding", "y"],
        "leave out --grounding"
      ),
    ] {
      try await refuse(extra, code: 64, saying: part)
    }
    for extra in [["--data", "x"], ["--oracle", "x"]] {
      expectRefusal(
        try await Program.run(["evaluate", "grounding", "--source", "generated"] + extra), code: 64,
        saying: "--source generated needs")
    }
  }

  @Test func aWorldWithoutHeldOutThingsIsRefused() async throws {
    try await withFolder(inMemory: true) { folder in
      try await refuse(["--world", folder + "/none"], code: 66, saying: "none")
      var drawn = DrawnPack()
      drawn.things = 1
      drawn.places = 1
      try drawn.write(to: folder + "/bare")
      try await refuse(["--world", folder + "/bare"], code: 65, saying: "holds out no cut-out")
      drawn.things = 3
      try drawn.write(to: folder + "/placeless")
      try await refuse(
        ["--world", folder + "/placeless"], code: 65, saying: "holds out no background")
    }
  }

  @Test func aModuleOfAnotherModelAndUnknownClassesAreRefused() async throws {
    let fixtures = Fixture.folder.path
    expectRefusal(
      try await Program.run([
        "evaluate", "grounding", "--size", "32", "--world", Self.pack, "--model",
        fixtures + "/diffusion/tiny-sd2", "--grounding", fixtures + "/grounding/ours.safetensors",
      ]), code: 65, saying: "made for another U-Net")
    try await refuse(
      ["--world", Self.pack, "--classes", "gnu,okapi"], code: 65, saying: "names none of the")
    try await refuse(
      ["--world", Self.pack, "--grounding", fixtures + "/none.safetensors"], code: 66,
      saying: "none.safetensors")
  }
}
