import CanonicalJSON
import Checkpoints
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// Inversion against diffusers (Tests/Fixtures/diffusion/generate_inversion.py).
@Suite struct InversionTests {
  @Test(arguments: ["DDIMScheduler", "DDIMInverseScheduler", "PNDMScheduler"])
  func everySettingAgrees(className: String) throws {
    let fixture = try Fixture("diffusion/inversion.safetensors")
    let settings = try #require(try JSONValue.parse(fixture.note("settings").utf8).elements)
    let results = try fixture.tensor("results")
    var worst: Float = 0
    for (index, setting) in settings.enumerated() {
      let difference = Difference(
        try run(setting, className, fixture), results.rows(index..<index + 1).values)
      worst = max(worst, difference.ofRange)
      #expect(difference.ofRange <= Tolerance.layer.ofRange, "\(setting): \(difference)")
    }
    print("parity inversion \(className): worst of \(settings.count) settings \(worst) of range")
    #expect(settings.count > 200)
  }

  /// The samples after the first, second and last step.
  private func run(
    _ setting: JSONValue, _ className: String, _ fixture: Fixture
  ) throws -> [Float] {
    let scheduler = try configuration(setting, className).scheduler(.ddimInverse)
    let guidance = Guidance(scale: 3)
    let (first, second) = (try fixture.tensor("first"), try fixture.tensor("second"))
    let count = try #require(setting["steps"]?.integer)
    var run = try scheduler.start(stepCount: count, eta: 0)
    var x = try fixture.tensor("x")
    var kept: [Float] = []
    for (step, timestep) in run.timesteps.enumerated() {
      let time = Float(timestep) / 1024
      let guided = guidance.combine(
        unconditional: combined(x, 0.25, first, time), conditional: combined(x, 0.5, second, time))
      x = run.step(step, prediction: guided, sample: x, noise: nil)
      if [0, 1, count - 1].contains(step) { kept += x.values }
    }
    return kept
  }

  private func configuration(
    _ setting: JSONValue, _ className: String
  ) throws -> SchedulerConfiguration {
    let own: [JSONValue.Member] = [
      .init("_class_name", .string(className)), .init("beta_start", 0.00085),
      .init("beta_end", 0.012), .init("beta_schedule", "scaled_linear"),
    ]
    let given = (setting.members ?? []).filter { !["steps", "clip"].contains($0.name) }
    return try SchedulerConfiguration(.object(own + given), file: "test")
  }

  private func tiny(_ model: TinyModel) throws -> SchedulerConfiguration {
    let file = "scheduler_config.json"
    return try SchedulerConfiguration(try model.json("scheduler", file), file: file)
  }

  @Test(arguments: TinyModel.allCases, KernelLevel.available)
  func picturesGoThereAndBackAsInDiffusers(model: TinyModel, level: KernelLevel) throws {
    try level.scoped { try goThereAndBack(model, label: "\(model.rawValue) \(level.rawValue)") }
  }

  private func goThereAndBack(_ model: TinyModel, label: String) throws {
    let fixture = try Fixture("diffusion/round-trip-\(model.rawValue).safetensors")
    let plan = try JSONValue.parse(fixture.note("plan").utf8)
    let steps = try #require(plan["steps"]?.integer)
    let text = try Fixture("diffusion/run-\(model.rawValue).safetensors")
      .tensor("text.embedding").rows(0..<1)
    let shape = try fixture.shape("pixels")
    let pixels = Tensor(
      try fixture.bytes("pixels").map { Float($0) / 127.5 - 1 }, shape: [1] + shape)
    let autoencoder = try model.autoencoder()
    let encoded = autoencoder.scaled(autoencoder.encode(pixels).mean)
    let expected = try fixture.map("encoded")
    #expect(Difference(encoded, expected).keeps(within: .layer, "encoded \(label)"))

    let unet = try damped(model, Float(try #require(plan["damping"]?.number)))
    let inverter = try LatentInverter(unet: unet, configuration: try tiny(model))
    let request = LatentSampler.Request(
      noise: encoded, text: text, stepCount: steps, guidance: Guidance(scale: 1))
    let trajectory = try inverter.inverted(request) { step, _ in step != 3 }
    #expect(trajectory.latents.keys.sorted() == (0..<steps).filter { $0 != 3 })
    #expect(trajectory.latents[0]?.values == trajectory.start.values)
    #expect(
      Difference(trajectory.start, try fixture.map("inverted"))
        .keeps(within: .loop, "inverted \(label)"))
    var back = request
    back.noise = trajectory.start
    let sampler = LatentSampler(unet: unet, scheduler: try model.scheduler(.ddim))
    var visited: [Int] = []
    let end = try sampler(back) { visited.append($0.timestep) }
    #expect(trajectory.timesteps == visited)
    let difference = Difference(end, try fixture.map("sampled"))
    #expect(difference.keeps(within: .loop, "there and back \(label)"))
    #expect(difference.maximum <= 1e-3)
  }

  /// The model with a weaker last layer; the generator says why.
  private func damped(_ model: TinyModel, _ factor: Float) throws -> UNet {
    let source = try EditedSource(model.file("unet")) { key, tensor in
      key.hasPrefix("conv_out.") ? factor * tensor : tensor
    }
    let configuration = try UNetConfiguration(model.json("unet"), file: "unet/config.json")
    return try UNet(WeightScope(source), configuration)
  }

  @Test func noiseIsAddedAsInTrainingFromTheSeed() throws {
    let model = TinyModel.sd2
    let configuration = try tiny(model)
    let inverter = try LatentInverter(unet: try model.unet(), configuration: configuration)
    let clean = LatentNoise.initial(seeds: [8, 9], height: 2, width: 3, channels: 4)
    let trajectory = try inverter.noised(clean, seeds: [5, 6], stepCount: 4) { _, _ in true }
    #expect(trajectory.timesteps == [751, 501, 251, 1])
    let noise = LatentNoise.initial(seeds: [5, 6], height: 2, width: 3, channels: 4)
    let bars = NoiseSchedule(configuration).alphaBars
    for (step, timestep) in trajectory.timesteps.enumerated() {
      let latents = try #require(trajectory.latents[step])
      let (signal, rest) = (bars[timestep].squareRoot(), (1 - bars[timestep]).squareRoot())
      let expected = zip(clean.values, noise.values).map { signal * $0 + rest * $1 }
      #expect(Difference(latents.values, expected).maximum < 1e-6)
    }
    let alone = try inverter.noised(clean.rows(1..<2), seeds: [6], stepCount: 4) { _, _ in false }
    #expect(alone.latents.isEmpty)
    #expect(alone.start.values == trajectory.start.rows(1..<2).values)
    #expect(throws: DiffusionError.self) {
      try inverter.noised(clean, seeds: [5, 6], stepCount: 1001) { _, _ in true }
    }
  }

  @Test func chanceCannotBeInverted() throws {
    let inversion = try tiny(.sd1).scheduler(.ddimInverse)
    #expect(throws: DiffusionError.self) { try inversion.start(stepCount: 10, eta: 0.5) }
    #expect(throws: DiffusionError.self) { try inversion.start(stepCount: 0, eta: 0) }
    #expect(try inversion.start(stepCount: 4, eta: 0).timesteps == [1, 251, 501, 751])
  }

  /// A folder may name the inversion; it is then what its file asks for, with the class's own usual values.
  @Test func aFileMayNameTheInversion() throws {
    let file = try SchedulerConfiguration(
      .object([.init("_class_name", "DDIMInverseScheduler")]), file: "test")
    #expect(try file.kind() == .ddimInverse && file.kind().makesSamples == false)
    #expect(file.endsAtOne && file.clipRange == 1 && file.spacing == .leading)
    #expect(try file.scheduler() is DDIMInversion)
    #expect(try file.scheduler().start(stepCount: 4, eta: 0).timesteps == [0, 250, 500, 750])
    #expect(try file.scheduler(.ddim).start(stepCount: 4, eta: 0).timesteps == [750, 500, 250, 0])
    #expect(!SchedulerConfiguration.Kind.samplers.contains(.ddimInverse))
  }
}
