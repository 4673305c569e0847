import CanonicalJSON
import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// PNDM, DPM-Solver++ and Euler over full schedules against diffusers
/// (Tests/Fixtures/diffusion/generate_schedulers.py), on a stand-in for the network.
@Suite struct SchedulerParityTests {
  /// One setting of the fixture and where its steps are in it.
  private struct Run {
    var configuration: JSONValue
    var stepCount: Int
    var calls: Range<Int>
    var index: Int

    var label: String {
      let members = (configuration.members ?? []).dropFirst(5)
        .map { "\($0.name) \($0.value.string ?? $0.value.bool.map(String.init) ?? "")" }
      return members.joined(separator: ", ") + ", \(stepCount) steps"
    }
  }

  private let fixture: Fixture

  init() throws { fixture = try Fixture("diffusion/scheduler-steps.safetensors") }

  /// Every setting in the order of the generator.
  private func runs() throws -> [Run] {
    let groups = try #require(try JSONValue.parse(fixture.note("groups").utf8).elements)
    let calls = try fixture.integers("calls")
    var runs: [Run] = []
    var start = 0
    for group in groups {
      let shared = try #require(group["settings"]?.members)
      let counts = (group["counts"]?.elements ?? []).compactMap(\.integer)
      #expect(!counts.isEmpty)
      for spacing in group["spacings"]?.elements ?? [] {
        for prediction in group["predictions"]?.elements ?? [] {
          let own: [JSONValue.Member] = [
            .init("timestep_spacing", spacing), .init("prediction_type", prediction),
          ]
          for count in counts {
            let end = start + calls[runs.count]
            runs.append(
              Run(
                configuration: .object(shared + own), stepCount: count, calls: start..<end,
                index: runs.count))
            start = end
          }
        }
      }
    }
    #expect(runs.count == calls.count)
    #expect(try fixture.shape("steps")[0] == start)
    return runs
  }

  @Test(
    arguments: [
      ("PNDMScheduler", 60), ("DPMSolverMultistepScheduler", 200), ("EulerDiscreteScheduler", 90),
      ("EulerAncestralDiscreteScheduler", 30),
    ])
  func everyStepAgrees(className: String, fewest: Int) throws {
    let steps = try fixture.tensor("steps")
    let timesteps = try fixture.tensor("timesteps").values
    let scales = try fixture.tensor("scales").values
    let own = try runs().filter { $0.configuration["_class_name"]?.string == className }
    #expect(own.count >= fewest)
    var (worst, worstLabel, worstTimestep) = (Float(0), "", Float(0))
    for run in own {
      let file = "scheduler_config.json"
      let scheduler = try SchedulerConfiguration(run.configuration, file: file).scheduler()
      var state = try scheduler.start(stepCount: run.stepCount, eta: 0)
      #expect(state.timesteps.count == run.calls.count, "\(run.label)")
      let times = Difference(state.modelTimesteps, Array(timesteps[run.calls]))
      worstTimestep = max(worstTimestep, times.maximum)
      #expect(times.maximum <= 1000 * Tolerance.rounding.ofRange, "\(run.label): \(times)")
      let scale = Difference([state.initialScale], [scales[run.index]])
      #expect(scale.maximum <= Tolerance.rounding.ofRange * scales[run.index], "\(run.label)")
      let found = try samples(of: &state)
      for (step, call) in run.calls.enumerated() {
        let difference = Difference(found[step], steps.rows(call..<call + 1).values)
        if difference.ofRange > worst { (worst, worstLabel) = (difference.ofRange, run.label) }
        #expect(
          difference.ofRange <= Tolerance.run.ofRange, "\(run.label), step \(step): \(difference)")
      }
    }
    print(
      "parity \(className): worst step of \(own.count) runs \(worst) of range (\(worstLabel)), "
        + "worst timestep off by \(worstTimestep) (limit \(Tolerance.run.ofRange))")
  }

  /// The samples after every call.
  private func samples(of run: inout any SamplingRun) throws -> [[Float]] {
    let (first, noise) = (try fixture.tensor("first"), try fixture.tensor("noise"))
    var x = run.initialScale * (try fixture.tensor("x"))
    return run.modelTimesteps.enumerated().map { step, timestep in
      let prediction = combined(run.modelInput(x, step: step), 0.25, first, timestep / 1024)
      let drawn = run.needsNoise ? noise.rows(step..<step + 1).reshaped(x.shape) : nil
      x = run.step(step, prediction: prediction, sample: x, noise: drawn)
      return x.values
    }
  }

  @Test func filesAreReadUnderOtherNamesAsThere() throws {
    let fixture = try Fixture("diffusion/scheduler-folders.safetensors")
    let files = try #require(try JSONValue.parse(fixture.note("files").utf8).elements)
    #expect(files.count == 4)
    for (index, file) in files.enumerated() {
      let configuration = try SchedulerConfiguration(file, file: "scheduler_config.json")
      for kind in SchedulerConfiguration.Kind.allCases {
        let run = try configuration.scheduler(kind).start(stepCount: 20, eta: 0)
        let name = "\(index).\(kind.rawValue)"
        let times = Difference(run.modelTimesteps, try fixture.tensor("\(name).timesteps").values)
        #expect(times.maximum <= 1000 * Tolerance.rounding.ofRange, "\(name): \(times)")
        let scale = try fixture.tensor("\(name).scale").values[0]
        #expect(abs(run.initialScale - scale) <= Tolerance.rounding.ofRange * scale, "\(name)")
      }
    }
  }
}
