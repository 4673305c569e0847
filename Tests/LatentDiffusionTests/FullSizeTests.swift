import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
import TensorCore
import TestSupport
import TextConditioning
import Testing

/// Where the model and the reference are.
private enum FullSize {
  static let paths: (model: String, reference: String)? = {
    let environment = ProcessInfo.processInfo.environment
    guard let model = environment["TRIPTYCH_FULL_SIZE_MODEL"],
      let reference = environment["TRIPTYCH_FULL_SIZE_REFERENCE"]
    else { return nil }
    return (model, reference)
  }()
}

/// A full-size folder against diffusers, where one is at hand: `TRIPTYCH_FULL_SIZE_MODEL` names the folder and
/// `TRIPTYCH_FULL_SIZE_REFERENCE` the file that Tests/FullSize/reference.py made from it.
@Suite(.serialized, .enabled(if: FullSize.paths != nil))
struct FullSizeTests {
  private let folder: ModelFolder
  private let reference: Fixture

  init() throws {
    let paths = try #require(FullSize.paths)
    folder = try ModelFolder(path: paths.model)
    reference = try Fixture(file: URL(fileURLWithPath: paths.reference), name: paths.reference)
  }

  private func unet() throws -> UNet {
    try UNet(
      WeightScope(folder.weights("unet")),
      UNetConfiguration(folder.configuration("unet"), file: folder.file("unet", "config.json")))
  }

  private func autoencoder() throws -> Autoencoder {
    try Autoencoder(
      WeightScope(folder.weights("vae")),
      AutoencoderConfiguration(
        folder.configuration("vae"), file: folder.file("vae", "config.json")))
  }

  private func expect(
    _ found: Tensor, _ expected: Tensor, within tolerance: Tolerance = .layer, _ label: String
  ) {
    #expect(Difference(found, expected).keeps(within: tolerance, "full size \(label)"))
  }

  @Test func textEncoderAgrees() throws {
    let encoder = try CLIPTextEncoder(
      WeightScope(folder.weights("text_encoder")),
      configuration: CLIPTextConfiguration(
        folder.configuration("text_encoder"), file: folder.file("text_encoder", "config.json")))
    let ids = try reference.integers("text.ids")
    let length = try reference.shape("text.ids")[1]
    let rows = stride(from: 0, to: ids.count, by: length).map { Array(ids[$0..<$0 + length]) }
    expect(encoder(rows), try reference.tensor("text.out"), "text encoder")
  }

  @Test func autoencoderAgrees() throws {
    let autoencoder = try autoencoder()
    if reference.keys.contains("encode.image") {
      let latents = autoencoder.encode(try reference.map("encode.image"))
      expect(latents.mean, try reference.map("encode.mean"), "encoder mean")
      expect(latents.logVariance, try reference.map("encode.log-variance"), "encoder log variance")
    }
    if reference.keys.contains("decode.latents") {
      let image = autoencoder.decode(try reference.map("decode.latents"))
      expect(image, try reference.map("decode.out"), "decoder")
    }
  }

  @Test func defaultPrecisionKeepsToItsBound() throws {
    var random = SeededGenerator(seed: 1)
    let exact = try unet()
    let side = 64
    let latents = random.tensor([2, side, side, exact.configuration.inputs], scale: 1.7)
    let text = random.tensor([2, 77, exact.configuration.textWidth])
    let expected = exact(latents, timesteps: [500], text: text)
    let found = try Precision.default.scoped {
      try unet()(latents, timesteps: [500], text: text)
    }
    let error = PrecisionError(found, exact: expected)
    #expect(error.keeps("full size, \(KernelLevel.selected)"))
  }

  @Test func unetAndLoopAgree() throws {
    let unet = try unet()
    if reference.keys.contains("unet.latents") {
      let found = unet(
        try reference.map("unet.latents"), timesteps: try reference.integers("unet.time"),
        text: try reference.tensor("unet.text"))
      expect(found, try reference.map("unet.out"), "U-Net")
    }
    guard reference.keys.contains("loop.noise") else { return }
    let scheduler = try SchedulerConfiguration(
      folder.configuration("scheduler"), file: folder.file("scheduler", "scheduler_config.json")
    ).scheduler(.ddim)
    let steps = try reference.tensor("loop.steps")
    let guidance = try #require(Float(try reference.note("guidance")))
    let latents = try LatentSampler(unet: unet, scheduler: scheduler)(
      LatentSampler.Request(
        noise: reference.map("loop.noise"), text: reference.tensor("loop.text"),
        unconditionalText: reference.tensor("loop.unconditional"), stepCount: steps.shape[0],
        guidance: Guidance(scale: guidance))
    ) { progress in
      let expected = steps.rows(progress.step..<progress.step + 1)
        .reshaped(Array(steps.shape.dropFirst())).channelsLast()
      expect(progress.latents, expected, within: .loop, "step \(progress.step + 1)")
    }
    let found = Autoencoder.bytes(of: try autoencoder().image(of: latents))
    let off = zip(found, try reference.bytes("loop.image")).map { abs(Int($0) - Int($1)) }
    print(
      "parity full size image: \(off.count { $0 > 0 }) of \(off.count) bytes differ, "
        + "by at most \(off.max() ?? 0)")
    #expect(off.allSatisfy { $0 <= Tolerance.imageLevels })
  }
}
