import CanonicalJSON
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// What schedulers other than DDIM take from a configuration, what they refuse, and what holds for each of them.
@Suite struct SchedulerTests {
  private typealias Kind = SchedulerConfiguration.Kind

  private func configuration(
    _ className: String, _ settings: [JSONValue.Member] = []
  ) throws -> SchedulerConfiguration {
    let json = JSONValue.object([.init("_class_name", .string(className))] + settings)
    return try SchedulerConfiguration(json, file: "s.json")
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  @Test func aFileNamesItsSchedulerByClassAndAlgorithm() throws {
    let karras = JSONValue.Member("use_karras_sigmas", true)
    let stochastic = JSONValue.Member("algorithm_type", "sde-dpmsolver++")
    let (euler, dpm) = (Kind.euler.className, Kind.dpmSolver.className)
    #expect(try configuration("DDIMScheduler").kind() == .ddim)
    #expect(try configuration("PNDMScheduler").kind() == .pndm)
    #expect(try configuration(euler).kind() == .euler)
    #expect(try configuration(euler, [karras]).kind() == .eulerKarras)
    #expect(try configuration("EulerAncestralDiscreteScheduler").kind() == .eulerAncestral)
    #expect(try configuration(dpm).kind() == .dpmSolver)
    #expect(try configuration(dpm, [karras]).kind() == .dpmSolverKarras)
    #expect(try configuration(dpm, [stochastic]).kind() == .dpmSolverSDE)
    #expect(try configuration(dpm, [karras, stochastic]).kind() == .dpmSolverSDEKarras)
    for kind in Kind.allCases {
      #expect(Kind(rawValue: kind.rawValue) == kind)
    }
  }

  @Test func anotherNameKeepsTheFilesOwnSpacing() throws {
    let stated = try configuration(
      "PNDMScheduler", [.init("timestep_spacing", "trailing"), .init("steps_offset", 1)])
    #expect(
      try stated.scheduler(.euler).start(stepCount: 4, eta: 0).timesteps == [999, 749, 499, 249])
    // What the file leaves open is as the asked class has it.
    let open = try configuration("PNDMScheduler")
    let run = try open.scheduler(.euler).start(stepCount: 3, eta: 0)
    #expect(run.modelTimesteps == [999, 499.5, 0])
    #expect(run.timesteps == [999, 500, 0])
    #expect(try open.scheduler(.ddim).start(stepCount: 2, eta: 0).timesteps == [500, 0])
  }

  @Test func pndmAsksTheModelMoreOftenThanItSteps() throws {
    let pndm = "PNDMScheduler"
    let skipping = try configuration(pndm, [.init("skip_prk_steps", true)]).scheduler()
    #expect(try skipping.start(stepCount: 1, eta: 0).timesteps == [0])
    #expect(try skipping.start(stepCount: 4, eta: 0).timesteps == [750, 500, 500, 250, 0])
    #expect(try skipping.start(stepCount: 50, eta: 0).timesteps.count == 51)
    let whole = try configuration(pndm).scheduler()
    #expect(try whole.start(stepCount: 50, eta: 0).timesteps.count == 59)
    #expect(
      message { _ = try whole.start(stepCount: 3, eta: 0) }.hasPrefix(
        "steps: found 3, expected 4 or more"))
    let sampler = LatentSampler(unet: try TinyModel.sd1.unet(), scheduler: skipping)
    let request = LatentSampler.Request(
      noise: .zeros([1, 4, 4, 4]), text: .zeros([1, 2, 32]), stepCount: 8,
      guidance: Guidance(scale: 1))
    var calls = 0
    _ = try sampler(request) { progress in
      calls += 1
      #expect(progress.stepCount == 9)
    }
    #expect(try calls == sampler.callCount(request))
  }

  static let refused: [(String, String, JSONValue)] = [
    ("PNDMScheduler", "prediction_type", "sample"),
    ("PNDMScheduler", "rescale_betas_zero_snr", true),
    ("PNDMScheduler", "skip_prk_steps", "yes"),
    ("EulerAncestralDiscreteScheduler", "prediction_type", "sample"),
    ("EulerDiscreteScheduler", "interpolation_type", "cubic"),
    ("EulerDiscreteScheduler", "timestep_type", "continuous"),
    ("EulerDiscreteScheduler", "final_sigmas_type", "one"),
    ("EulerDiscreteScheduler", "use_exponential_sigmas", true),
    ("EulerDiscreteScheduler", "use_beta_sigmas", true),
    ("EulerDiscreteScheduler", "use_karras_sigmas", 1),
    ("EulerDiscreteScheduler", "sigma_min", -1), ("EulerDiscreteScheduler", "sigma_max", "a"),
    ("DPMSolverMultistepScheduler", "algorithm_type", "dpmsolver"),
    ("DPMSolverMultistepScheduler", "algorithm_type", "sde-dpmsolver"),
    ("DPMSolverMultistepScheduler", "solver_order", 3),
    ("DPMSolverMultistepScheduler", "solver_order", 1),
    ("DPMSolverMultistepScheduler", "solver_type", "bh2"),
    ("DPMSolverMultistepScheduler", "prediction_type", "flow_prediction"),
    ("DPMSolverMultistepScheduler", "variance_type", "learned_range"),
    ("DPMSolverMultistepScheduler", "use_lu_lambdas", true),
    ("DPMSolverMultistepScheduler", "use_flow_sigmas", true),
    ("DPMSolverMultistepScheduler", "lambda_min_clipped", "low"),
    ("DPMSolverMultistepScheduler", "lambda_min_clipped", 900),
    ("DPMSolverMultistepScheduler", "lambda_min_clipped", .number(.infinity)),
    ("DPMSolverMultistepScheduler", "lower_order_final", "no"),
    ("DPMSolverMultistepScheduler", "predict_epsilon", false),
    ("DPMSolverMultistepScheduler", "beta_start", 0),
    ("LMSDiscreteScheduler", "_class_name", "LMSDiscreteScheduler"),
  ]

  @Test(arguments: refused)
  func whatASchedulerDoesNotHaveIsRefusedByKey(
    className: String, key: String, value: JSONValue
  ) throws {
    let others = key == "_class_name" ? [] : [JSONValue.Member(key, value)]
    let message = message { _ = try configuration(className, others).scheduler() }
    let shown = key == "beta_start" ? "beta_schedule" : key
    #expect(message.hasPrefix("s.json: \(shown): "), "\(message)")
    #expect(message != "accepted" && !message.contains("\n"))
  }

  @Test func keysOfOtherSchedulersDoNotMatter() throws {
    let other = try configuration(
      "UniPCMultistepScheduler",
      [
        .init("solver_type", "bh2"), .init("solver_order", 3), .init("algorithm_type", "deis"),
        .init("timestep_type", "continuous"),
      ])
    #expect(throws: DiffusionError.self) { try other.scheduler() }
    #expect(try other.scheduler(.ddim) is DDIMScheduler)
    #expect(try other.scheduler(.dpmSolver) is DPMSolverScheduler)
    #expect(throws: DiffusionError.self) { try other.scheduler(.euler) }
  }

  @Test func schedulersWithoutEtaRefuseIt() throws {
    let file = try configuration("PNDMScheduler", [.init("skip_prk_steps", true)])
    for kind in Kind.allCases where kind != .ddim {
      let scheduler = try file.scheduler(kind)
      for eta in [Float(0.5), 1, -1, .nan] {
        let error = #expect(throws: DiffusionError.self) {
          try scheduler.start(stepCount: 5, eta: eta)
        }
        #expect(error?.code == .invalidSetting && error?.message.contains(kind.rawValue) == true)
      }
      #expect(throws: Never.self) { try scheduler.start(stepCount: 5, eta: 0) }
    }
  }

  @Test(arguments: ["leading", "trailing", "linspace"])
  func everyStepCountIsAFiniteRunOrRefused(spacing: String) throws {
    let settings: [JSONValue.Member] = [
      .init("timestep_spacing", .string(spacing)), .init("steps_offset", 1),
      .init("skip_prk_steps", true), .init("beta_start", 0.00085), .init("beta_end", 0.012),
      .init("beta_schedule", "scaled_linear"),
    ]
    let file = try configuration("PNDMScheduler", settings)
    let sample = Tensor([1, -0.5], shape: [1, 1, 1, 2])
    for kind in Kind.allCases {
      let scheduler = try file.scheduler(kind)
      for count in [-1, 0, 1, 2, 3, 7, 77, 333, 499, 500, 501, 750, 998, 999, 1000, 1001, .max] {
        guard let started = try refusable({ try scheduler.start(stepCount: count, eta: 0) })
        else {
          #expect(count < 1 || count > 450, "\(kind) \(spacing): \(count)")
          continue
        }
        var run = started
        #expect(run.timesteps.count == count || kind == .pndm && run.timesteps.count == count + 1)
        #expect(run.timesteps.allSatisfy { (0..<1000).contains($0) })
        var x = run.initialScale * sample
        for step in run.timesteps.indices {
          let prediction = 0.5 * run.modelInput(x, step: step)
          x = run.step(
            step, prediction: prediction, sample: x, noise: run.needsNoise ? sample : nil)
        }
        #expect(x.isFinite, "\(kind) \(spacing): \(count)")
      }
    }
  }

  /// The value, nil where a setting of the run was refused.
  private func refusable<T>(_ body: () throws -> T) throws -> T? {
    do {
      return try body()
    } catch let error as DiffusionError where error.code == .invalidSetting {
      return nil
    }
  }

  /// Where the model always says that the clean sample is this one, a run ends with it.
  @Test func aModelThatKnowsTheAnswerEndsWithIt() throws {
    let answer = Tensor([0.7, -0.2, 0.1], shape: [1, 1, 1, 3])
    let noise = Tensor([1.5, -1, 0.3], shape: [1, 1, 1, 3])
    for kind in Kind.samplers where kind != .pndm && kind != .eulerAncestral {
      let file = try configuration(
        kind.className,
        [
          .init("prediction_type", "sample"), .init("clip_sample", false),
          .init("set_alpha_to_one", true),
        ])
      var run = try file.scheduler(kind).start(stepCount: 12, eta: 0)
      var x = run.initialScale * noise
      for step in run.timesteps.indices {
        x = run.step(step, prediction: answer, sample: x, noise: run.needsNoise ? noise : nil)
      }
      #expect(Difference(x, answer).maximum < 1e-5, "\(kind): \(x.values)")
    }
  }

  @Test(arguments: SchedulerConfiguration.Kind.allCases)
  func aSampleDoesNotDependOnItsBatch(kind: SchedulerConfiguration.Kind) throws {
    let sampler = LatentSampler(
      unet: try TinyModel.sd1.unet(), scheduler: try TinyModel.sd1.scheduler(kind))
    func run(_ seeds: [UInt64]) throws -> Tensor {
      let texts = seeds.map { seed in
        LatentNoise.initial(seeds: [seed &+ 1000], height: 1, width: 6, channels: 32)
          .reshaped([1, 6, 32])
      }
      return try sampler(
        LatentSampler.Request(
          noise: LatentNoise.initial(seeds: seeds, height: 4, width: 6, channels: 4),
          text: joinedRows(texts), unconditionalText: .zeros([seeds.count, 6, 32]), stepCount: 4,
          guidance: Guidance(scale: 4), seeds: seeds))
    }
    let batch = try run([5, 6, 7])
    for (index, seed) in [UInt64(5), 6, 7].enumerated() {
      #expect(try run([seed]).values == batch.rows(index..<index + 1).values)
    }
  }

  @Test func schedulersThatDrawNoiseFollowTheirSeed() throws {
    let model = TinyModel.sd1
    for kind in Kind.allCases {
      let sampler = LatentSampler(unet: try model.unet(), scheduler: try model.scheduler(kind))
      let noise = LatentNoise.initial(seeds: [5], height: 4, width: 4, channels: 4)
      func run(_ seeds: [UInt64]) throws -> [Float] {
        try sampler(
          LatentSampler.Request(
            noise: noise, text: .zeros([1, 6, 32]), stepCount: 4, guidance: Guidance(scale: 1),
            seeds: seeds)
        ).values
      }
      let draws = [Kind.eulerAncestral, .dpmSolverSDE, .dpmSolverSDEKarras].contains(kind)
      #expect(try run([1]) == run([1]))
      #expect(try (run([1]) != run([2])) == draws, "\(kind)")
      guard draws else { continue }
      #expect(throws: DiffusionError.self) { try run([]) }
    }
  }
}
