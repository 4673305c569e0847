import CanonicalJSON
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// Whole runs of the tiny models, from encoded prompts and initial latents to every step's latents and the
/// image, against diffusers' own pipeline (Tests/Fixtures/diffusion/generate_sampling.py).
@Suite struct RunParityTests {
  @Test(arguments: TinyModel.allCases)
  func everyStepAndTheImageAgree(model: TinyModel) throws {
    let fixture = try Fixture("diffusion/run-\(model.rawValue).safetensors")
    let plan = try JSONValue.parse(fixture.note("plan").utf8)
    let sampler = LatentSampler(unet: try model.unet(), scheduler: try model.scheduler(.ddim))
    let request = LatentSampler.Request(
      noise: try fixture.map("latents"), text: try fixture.tensor("text.embedding"),
      unconditionalText: try fixture.tensor("unconditional.embedding"),
      stepCount: try #require(plan["steps"]?.integer),
      guidance: Guidance(
        scale: Float(try #require(plan["guidance"]?.number)),
        rescale: Float(try #require(plan["rescale"]?.number))))
    let steps = try fixture.tensor("steps")
    var worst: Float = 0
    let latents = try sampler(request) { progress in
      let expected = steps.rows(progress.step..<progress.step + 1)
        .reshaped(Array(steps.shape.dropFirst())).channelsLast()
      let difference = Difference(progress.latents, expected)
      worst = max(worst, difference.ofRange)
      #expect(difference.ofRange <= Tolerance.loop.ofRange, "step \(progress.step): \(difference)")
    }
    print("parity run \(model.rawValue): worst of \(request.stepCount) steps \(worst) of range")
    let found = Autoencoder.bytes(of: try model.autoencoder().image(of: latents))
    let expected = try fixture.bytes("image")
    #expect(found.count == expected.count)
    let off = zip(found, expected).map { abs(Int($0) - Int($1)) }
    print(
      "parity image \(model.rawValue): \(off.count { $0 > 0 }) of \(off.count) bytes differ, "
        + "by at most \(off.max() ?? 0)")
    #expect(off.allSatisfy { $0 <= Tolerance.imageLevels })
  }

  @Test(arguments: TinyModel.allCases)
  func aRunWithoutGuidanceAgrees(model: TinyModel) throws {
    let fixture = try Fixture("diffusion/run-\(model.rawValue).safetensors")
    let sampler = LatentSampler(unet: try model.unet(), scheduler: try model.scheduler(.ddim))
    let request = LatentSampler.Request(
      noise: try fixture.map("latents"), text: try fixture.tensor("text.embedding"), stepCount: 10,
      guidance: Guidance(scale: 1))
    let difference = Difference(try sampler(request), try fixture.map("plain.last"))
    #expect(difference.keeps(within: .loop, "run without guidance \(model.rawValue)"))
  }
}
