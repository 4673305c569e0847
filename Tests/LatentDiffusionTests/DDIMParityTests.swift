import CanonicalJSON
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// Ten steps of DDIM in every combination of settings against diffusers
/// (Tests/Fixtures/diffusion/generate_sampling.py), on a stand-in for the network.
@Suite struct DDIMParityTests {
  @Test func everySettingAgrees() throws {
    let fixture = try Fixture("diffusion/ddim.safetensors")
    let settings = try #require(try JSONValue.parse(fixture.note("settings").utf8).elements)
    let results = try fixture.tensor("results")
    var worst: Float = 0
    for (index, setting) in settings.enumerated() {
      let found = try run(setting, fixture)
      let expected = results.rows(index..<index + 1).values
      let difference = Difference(found, expected)
      worst = max(worst, difference.ofRange)
      #expect(difference.ofRange <= Tolerance.layer.ofRange, "\(setting): \(difference)")
    }
    print("parity DDIM: worst of \(settings.count) settings \(worst) of range")
    #expect(settings.count > 350)
  }

  /// The samples after the first, second and last step.
  private func run(_ setting: JSONValue, _ fixture: Fixture) throws -> [Float] {
    let clip = try #require(setting["clip"])
    let scheduler = try ddimScheduler([
      .init("beta_start", 0.00085), .init("beta_end", 0.012),
      .init("beta_schedule", "scaled_linear"), .init("steps_offset", 1),
      .init("timestep_spacing", try #require(setting["spacing"])),
      .init("prediction_type", try #require(setting["prediction"])),
      .init("clip_sample", .bool(!clip.isNull)),
      .init("clip_sample_range", clip.isNull ? 1 : clip),
      .init("set_alpha_to_one", try #require(setting["one"])),
      .init("rescale_betas_zero_snr", try #require(setting["rescaled"])),
      .init("thresholding", try #require(setting["threshold"])),
      .init("dynamic_thresholding_ratio", 0.8), .init("sample_max_value", 1.5),
    ])
    let eta = Float(try #require(setting["eta"]?.number))
    let guidance = Guidance(
      scale: 3, rescale: Float(try #require(setting["guidance_rescale"]?.number)))
    let (first, second) = (try fixture.tensor("first"), try fixture.tensor("second"))
    let noise = try fixture.tensor("noise")
    var run = try scheduler.start(stepCount: 10, eta: eta)
    var x = try fixture.tensor("x")
    var kept: [Float] = []
    for (step, timestep) in run.timesteps.enumerated() {
      let time = Float(timestep) / 1024
      let input = run.modelInput(x, step: step)
      let guided = guidance.combine(
        unconditional: combined(input, 0.25, first, time),
        conditional: combined(input, 0.5, second, time))
      let drawn = noise.rows(step..<step + 1).reshaped(x.shape)
      x = run.step(step, prediction: guided, sample: x, noise: run.needsNoise ? drawn : nil)
      if [0, 1, 9].contains(step) { kept += x.values }
    }
    return kept
  }

  @Test func guidanceMixesAndRescales() {
    let without = Tensor([0, 1, 2, 3], shape: [1, 2, 2, 1])
    let with = Tensor([1, 1, 1, 5], shape: [1, 2, 2, 1])
    let plain = Guidance(scale: 2).combine(unconditional: without, conditional: with)
    #expect(plain.values == [2, 1, 0, 7])
    #expect(!Guidance(scale: 1).isOn)
    #expect(!Guidance(scale: 0).isOn)
    #expect(Guidance(scale: 1.01).isOn)
    // Rescaled whole, the deviation is that of the prediction with the text: 2, from √(29/3).
    let rescaled = Guidance(scale: 2, rescale: 1).combine(unconditional: without, conditional: with)
    let ratio = 2 / (Float(29) / 3).squareRoot()
    #expect(Difference(rescaled.values, [2 * ratio, ratio, 0, 7 * ratio]).maximum < 1e-6)
  }
}
