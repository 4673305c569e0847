import Checkpoints
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// The loop itself: stopping, taps, noise of stochastic runs, broken models, settings that do not fit.
@Suite struct LatentSamplerTests {
  private struct Stopped: Error {}

  private func request(
    seeds: [UInt64], steps: Int = 3, guidance: Float = 4, eta: Float = 0
  ) -> LatentSampler.Request {
    let texts = seeds.map { seed in
      LatentNoise.initial(seeds: [seed &+ 1000], height: 1, width: 6, channels: 32)
        .reshaped([1, 6, 32])
    }
    return LatentSampler.Request(
      noise: LatentNoise.initial(seeds: seeds, height: 4, width: 6, channels: 4),
      text: joinedRows(texts), unconditionalText: .zeros([seeds.count, 6, 32]), stepCount: steps,
      guidance: Guidance(scale: guidance), eta: eta, seeds: seeds)
  }

  private func sampler(_ model: TinyModel = .sd2) throws -> LatentSampler {
    LatentSampler(unet: try model.unet(), scheduler: try model.scheduler(.ddim))
  }

  /// In a process of its own: the pool is everybody's.
  @Test func stepsAfterTheFirstAskTheSystemForNoMemory() async {
    await #expect(processExitsWith: .success) {
      let suite = LatentSamplerTests()
      var allocations: [Int] = []
      _ = try suite.sampler()(suite.request(seeds: [1, 2], steps: 6)) { _ in
        allocations.append(BufferPool.shared.statistics.systemAllocations)
      }
      precondition(allocations.count == 6 && allocations[0] > 0)
      precondition(Set(allocations.dropFirst()).count == 1, "\(allocations)")
    }
  }

  @Test func progressIsSeenAndThrowingStops() throws {
    var seen: [Int] = []
    #expect(throws: Stopped.self) {
      try sampler()(request(seeds: [1], steps: 5)) { progress in
        seen.append(progress.timestep)
        #expect(progress.stepCount == 5)
        #expect(progress.step == seen.count - 1)
        if seen.count == 3 { throw Stopped() }
      }
    }
    #expect(seen == [801, 601, 401])
  }

  @Test(arguments: [Float(0), 0.7])
  func aSampleDoesNotDependOnItsBatch(eta: Float) throws {
    let sampler = try sampler(.sd1)
    let batch = try sampler(request(seeds: [5, 6, 7], eta: eta))
    for (index, seed) in [UInt64(5), 6, 7].enumerated() {
      let alone = try sampler(request(seeds: [seed], eta: eta))
      #expect(alone.values == batch.rows(index..<index + 1).values)
    }
  }

  @Test func stochasticRunsFollowTheirSeed() throws {
    let sampler = try sampler()
    let (once, again) = (request(seeds: [5], eta: 1), request(seeds: [5], eta: 1))
    #expect(try sampler(once).values == sampler(again).values)
    #expect(try sampler(once).values != sampler(request(seeds: [5])).values)
    var reseeded = once
    reseeded.seeds = [9]
    #expect(try sampler(once).values != sampler(reseeded).values)
  }

  @Test func tapsSeeTheChosenStepAndChangeNothing() throws {
    let sampler = try sampler()
    var shapes: [[Int]] = []
    let tapped = try sampler(
      request(seeds: [1, 2]),
      taps: { step, timestep in
        guard step == 2 else { return nil }
        #expect(timestep == 1)
        return UNetTaps(blocks: [.middle], onBlock: { _, output in shapes.append(output.shape) })
      })
    // Both halves of the guided batch, at half the size.
    #expect(shapes == [[4, 2, 3, 24]])
    #expect(try sampler(request(seeds: [1, 2])).values == tapped.values)
  }

  @Test func guidanceOfOneNeedsNoSecondText() throws {
    var plain = request(seeds: [1], guidance: 1)
    let first = try sampler()(plain)
    plain.unconditionalText = nil
    #expect(try sampler()(plain).values == first.values)
  }

  @Test func aModelThatLeavesTheNumbersEndsTheRun() throws {
    let model = TinyModel.sd2
    let source = try EditedSource(model.file("unet")) { key, tensor in
      key == "conv_out.weight" ? 1e38 * tensor : tensor
    }
    let configuration = try UNetConfiguration(model.json("unet"), file: "unet/config.json")
    let unet = try UNet(WeightScope(source), configuration)
    let sampler = LatentSampler(unet: unet, scheduler: try model.scheduler())
    let error = #expect(throws: DiffusionError.self) { try sampler(request(seeds: [1])) }
    #expect(error?.code == .notFinite)
    #expect(error?.place == "step 1 of 3")
  }

  @Test func settingsThatDoNotFitAreRefused() throws {
    let sampler = try sampler()
    let good = request(seeds: [1, 2], eta: 0.5)
    var bad: [LatentSampler.Request] = []
    func add(_ edit: (inout LatentSampler.Request) -> Void) {
      var request = good
      edit(&request)
      bad.append(request)
    }
    add { $0.noise = .zeros([2, 4, 6, 3]) }
    add { $0.noise = .zeros([2, 0, 6, 4]) }
    add { $0.noise = .zeros([2, 4, 6]) }
    add { $0.text = .zeros([1, 6, 32]) }
    add { $0.text = .zeros([2, 6, 31]) }
    add { $0.unconditionalText = nil }
    add { $0.unconditionalText = .zeros([2, 5, 32]) }
    add { $0.stepCount = 0 }
    add { $0.stepCount = 1000 }
    add { $0.seeds = [1] }
    add { $0.eta = -1 }
    add { $0.eta = .nan }
    add { $0.guidance.scale = .infinity }
    add { $0.guidance.scale = .nan }
    add { $0.guidance.rescale = 2 }
    for request in bad {
      #expect(throws: DiffusionError.self) { try sampler(request) }
    }
    #expect(try sampler(good).isFinite)
  }

  @Test func weightsThatDoNotFitTheConfigurationAreRefusedByKey() throws {
    let model = TinyModel.sd1
    let configuration = try UNetConfiguration(model.json("unet"), file: "unet/config.json")
    let extra = try EditedSource(model.file("vae")) { _, tensor in tensor }
    let missing = #expect(throws: CheckpointError.self) {
      try UNet(WeightScope(extra), configuration)
    }
    #expect(missing?.code == .missingTensor)
    #expect(missing?.key == "time_embedding.linear_1.weight")
    var narrower = configuration
    narrower.upAttention[2] = false
    let left = #expect(throws: CheckpointError.self) {
      try UNet(model.weights("unet"), narrower)
    }
    #expect(left?.code == .unusedTensors)
    #expect(left?.key?.hasPrefix("up_blocks.2.attentions.0.") == true)
    var wider = configuration
    wider.textWidth = 48
    let wrong = #expect(throws: CheckpointError.self) { try UNet(model.weights("unet"), wider) }
    #expect(wrong?.code == .wrongShape)
  }
}
