import CanonicalJSON
import Checkpoints
import Foundation
import Imaging
import TensorCore
import TestSupport
import Testing

@Suite(.serialized) struct InvertTests {
  /// The tiny model with a weaker last layer, as Tests/Fixtures/diffusion/generate_inversion.py has it.
  private func damped(in folder: String, by factor: Float) throws -> String {
    let model = folder + "/model"
    try FileManager.default.copyItem(atPath: Program.tinyModel, toPath: model)
    let weights = model + "/unet/diffusion_pytorch_model.safetensors"
    var writer = SafetensorsWriter()
    do {
      let source = try SafetensorsFile(path: weights)
      for key in source.keys {
        let tensor = try source.tensor(key)
        writer.add(key, key.hasPrefix("conv_out.") ? factor * tensor : tensor)
      }
    }
    try writer.write(to: weights)
    return model
  }

  private func latents(_ path: String) throws -> Tensor {
    try Fixture(file: URL(fileURLWithPath: path), name: path).map("latents")
  }

  @Test func aPictureGoesThereAndBackAsInDiffusers() async throws {
    let fixture = try Fixture("diffusion/round-trip-tiny-sd1.safetensors")
    let plan = try JSONValue.parse(fixture.note("plan").utf8)
    let prompt = try #require(plan["prompt"]?.string)
    let shape = try fixture.shape("pixels")
    try await withFolder { folder in
      let model = try damped(in: folder, by: Float(try #require(plan["damping"]?.number)))
      let image = try PixelImage(
        width: shape[1], height: shape[0], channels: .rgb, samples: try fixture.bytes("pixels"))
      try Data(try PNGCodec.encode(image)).write(to: URL(fileURLWithPath: folder + "/in.png"))
      let size =
        ["--width", "\(shape[1])", "--height", "\(shape[0])", "--steps", "50"]
        + ["--precision", "exact"]
      let there = try await Program.run(
        [
          "invert", folder + "/in.png", "--model", model, "--prompt", prompt, "--inversion", "ddim",
          "--save-latents", folder + "/inverted.safetensors", "--json",
        ] + size)
      #expect(there.code == 0, "\(there.error)")
      let result = try JSONValue.parse(Array(try #require(there.lines.last).utf8))
      #expect(result["timestep"] == 981 && result["steps"] == 50)
      let inverted = try latents(folder + "/inverted.safetensors")
      let expected = try fixture.map("inverted")
      #expect(Difference(inverted, expected).keeps(within: .loop, "invert, program"))
      let back = try await Program.run(
        [
          "generate", "--model", model, "--prompt", prompt, "--scheduler", "ddim", "--guidance",
          "1", "--latents", folder + "/inverted.safetensors", "--save-latents",
          folder + "/end.safetensors", "--no-masks", "--output", folder + "/run",
        ] + size)
      #expect(back.code == 0, "\(back.error)")
      let difference = Difference(
        try latents(folder + "/end.safetensors"), try fixture.map("sampled"))
      #expect(difference.keeps(within: .loop, "there and back, program"))
      #expect(difference.maximum <= 1e-3)
      let made = try PNGCodec.decodeImage(
        [UInt8](
          try Data(
            contentsOf: URL(fileURLWithPath: folder + "/run/shards/00000/images/000000000.png"))))
      let off = zip(made.pixels.samples, try fixture.bytes("image")).map {
        abs(Int($0) - Int($1))
      }
      #expect(off.count == shape.reduce(1, *) && off.allSatisfy { $0 <= Tolerance.imageLevels })
    }
  }

  private func invert(_ image: String, _ extra: [String] = [], to file: String) async throws
    -> Program.Outcome
  {
    try await Program.run(
      [
        "invert", image, "--model", Program.tinyModel, "--steps", "4", "--save-latents", file,
      ] + extra)
  }

  @Test func picturesOfAnySizeAndKindAreTaken() async throws {
    let pictures = Fixture.folder.appendingPathComponent("imaging").path
    try await withFolder { folder in
      for name in ["orientation6.jpg", "cmyk.jpg", "grey16.png", "rgba.png", "progressive.jpg"] {
        let file = folder + "/latents.safetensors"
        let outcome = try await invert("\(pictures)/\(name)", ["--size", "32"], to: file)
        #expect(outcome.code == 0, "\(name): \(outcome.error)")
        #expect(try SafetensorsFile(path: file).record("latents")?.shape == [1, 4, 4, 4])
      }
      for (name, width, height) in [("dot", 8, 61), ("point", 1, 1), ("thread", 300, 7)] {
        let picture = try PixelImage(width: width, height: height, filledWith: Colour(255, 0, 0))
        try Data(try PNGCodec.encode(picture)).write(
          to: URL(fileURLWithPath: "\(folder)/\(name).png"))
      }
      for (name, size) in [("point", "1 x 1"), ("thread", "300 x 7")] {
        let refusal = try await invert("\(folder)/\(name).png", [], to: folder + "/no.safetensors")
        expectRefusal(refusal, code: 65, saying: "\(size) pixels show nothing")
      }
      let outcome = try await invert(
        folder + "/dot.png", ["--width", "24", "--height", "40"], to: folder + "/dot.safetensors")
      #expect(outcome.code == 0, "\(outcome.error)")
      let shape = try SafetensorsFile(path: folder + "/dot.safetensors").record("latents")?.shape
      #expect(shape == [1, 4, 5, 3])
    }
  }

  @Test func noiseFollowsItsSeedAndLeadsToTheSameBytes() async throws {
    let picture = Fixture.folder.appendingPathComponent("imaging/colour444.jpg").path
    try await withFolder { folder in
      var bytes: [Data] = []
      for (name, seed, threads) in [("a", "1", "1"), ("b", "1", "2"), ("c", "2", "1")] {
        let file = "\(folder)/\(name).safetensors"
        let outcome = try await invert(
          picture, ["--inversion", "noise", "--seed", seed, "--threads", threads, "--size", "32"],
          to: file)
        #expect(outcome.code == 0, "\(outcome.error)")
        bytes.append(try Data(contentsOf: URL(fileURLWithPath: file)))
      }
      #expect(bytes[0] == bytes[1] && bytes[0] != bytes[2])
    }
  }

  @Test func badPicturesAreRefusedInOneLine() async throws {
    let fixtures = Fixture.folder.appendingPathComponent("imaging")
    try await withFolder { folder in
      let jpeg = [UInt8](try Data(contentsOf: fixtures.appendingPathComponent("colour420.jpg")))
      let png = [UInt8](try Data(contentsOf: fixtures.appendingPathComponent("rgb.png")))
      var wideJPEG = jpeg
      let frame = try #require(
        jpeg.indices.dropLast().first { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 })
      wideJPEG.replaceSubrange(frame + 7..<frame + 9, with: [0x75, 0x30])
      var widePNG = png
      widePNG.replaceSubrange(16..<20, with: [0, 0, 0x75, 0x30])
      let files: [(String, [UInt8], String)] = [
        ("cut.jpg", Array(jpeg.dropLast(1)), "ends too early"),
        ("wide.jpg", wideJPEG, "30000 x 13 pixels, at most 8192"),
        ("wide.png", widePNG, "30000 x 9 pixels, at most 8192"),
        ("text.png", Array("no picture".utf8), "neither a PNG nor a JPEG"),
        ("empty.png", [], "an empty file"),
      ]
      for (name, bytes, part) in files {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        let outcome = try await invert("\(folder)/\(name)", to: folder + "/x.safetensors")
        expectRefusal(outcome, code: 65, saying: part)
        #expect(outcome.error.contains(name))
      }
      expectRefusal(
        try await invert(folder + "/none.png", to: folder + "/x.safetensors"), code: 66,
        saying: "none.png")
      expectRefusal(
        try await invert(folder, to: folder + "/x.safetensors"), code: 74, saying: "is a folder")
      #expect(!FileManager.default.fileExists(atPath: folder + "/x.safetensors"))
    }
  }

  @Test func settingsThatCannotBeAreRefused() async throws {
    let picture = Fixture.folder.appendingPathComponent("imaging/colour444.jpg").path
    try await withFolder { folder in
      let file = folder + "/x.safetensors"
      for (extra, part) in [
        (["--size", "30"], "a multiple of 8"), (["--steps", "0"], "--steps"),
        (["--guidance", "-1"], "--guidance"), (["--size", "32", "--width", "32"], "--size"),
        (["--inversion", "magic"], "--inversion"),
      ] {
        let outcome = try await invert(picture, extra, to: file)
        #expect(outcome.code == 64 && outcome.error.contains(part), "\(outcome.error)")
      }
      expectRefusal(
        try await invert(picture, to: folder + "/none/x.safetensors"), code: 73, saying: "none")
      // Latents of one size do not make a picture of another.
      let made = try await invert(picture, ["--size", "32"], to: file)
      #expect(made.code == 0)
      expectRefusal(
        try await Program.run([
          "generate", "--prompt", "x", "--model", Program.tinyModel, "--scheduler", "ddim",
          "--no-masks", "--latents", file, "--size", "64", "--output", folder + "/run",
        ]), code: 64, saying: "--latents")
    }
  }
}
