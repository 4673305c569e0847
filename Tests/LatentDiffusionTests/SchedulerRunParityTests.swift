import CanonicalJSON
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// Guided runs of the tiny models under every scheduler's name against diffusers' own pipeline
/// (Tests/Fixtures/diffusion/generate_schedulers.py).
@Suite struct SchedulerRunParityTests {
  private static let kinds = SchedulerConfiguration.Kind.samplers.filter { $0 != .ddim }

  @Test(arguments: TinyModel.allCases, kinds)
  func everyStepAgrees(model: TinyModel, kind: SchedulerConfiguration.Kind) throws {
    let fixture = try Fixture("diffusion/scheduler-runs-\(model.rawValue).safetensors")
    let texts = try Fixture("diffusion/run-\(model.rawValue).safetensors")
    let expected = try fixture.tensor(kind.rawValue)  // [calls, C, H, W]
    let unet = try model.unet()
    let text = unet.project(
      text: joinedRows([
        try texts.tensor("unconditional.embedding").rows(0..<1),
        try texts.tensor("text.embedding").rows(0..<1),
      ]))
    var run = try model.scheduler(kind).start(stepCount: 8, eta: 0)
    #expect(run.timesteps.count == expected.shape[0])
    let noise = try fixture.tensor("noise")  // [calls, 1, C, H, W]
    var latents = run.initialScale * (try fixture.map("latents"))
    var worst: Float = 0
    // The sampler's loop, with the fixture's noise instead of the seeds'.
    for (step, timestep) in run.modelTimesteps.enumerated() {
      let input = run.modelInput(latents, step: step)
      let output = unet(joinedRows([input, input]), timesteps: [timestep], projectedText: text)
      let guided = Guidance(scale: 5).combine(
        unconditional: output.rows(0..<1), conditional: output.rows(1..<2))
      let drawn =
        run.needsNoise
        ? noise.rows(step..<step + 1).reshaped(Array(noise.shape.dropFirst())).channelsLast() : nil
      latents = run.step(step, prediction: guided, sample: latents, noise: drawn)
      let difference = Difference(latents, expected.rows(step..<step + 1).channelsLast())
      worst = max(worst, difference.ofRange)
      #expect(difference.ofRange <= Tolerance.loop.ofRange, "step \(step): \(difference)")
    }
    print(
      "parity run \(model.rawValue) \(kind.rawValue): worst of \(expected.shape[0]) calls \(worst) of range "
        + "(limit \(Tolerance.loop.ofRange))")
    guard !run.needsNoise else { return }
    let sampled = try LatentSampler(unet: unet, scheduler: try model.scheduler(kind))(
      LatentSampler.Request(
        noise: try fixture.map("latents"), text: try texts.tensor("text.embedding").rows(0..<1),
        unconditionalText: try texts.tensor("unconditional.embedding").rows(0..<1), stepCount: 8,
        guidance: Guidance(scale: 5)))
    #expect(sampled.values == latents.values)
  }
}
