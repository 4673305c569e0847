import CanonicalJSON
import DatasetFormat
import Foundation
import Generation
import LatentDiffusion
import MaskGrounding
import ModelTraining
import TensorCore
import TestSupport
import Testing

import GroundingTraining

@Suite struct GroundingTrainingRunTests {
  private struct Stop: Error {}

  private func data(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func aModuleLearnsWhereShapesAre() throws {
    let tiny = try TinyTraining()
    var losses: [Double] = []
    let outcome = try tiny.run(tiny.settings(steps: 60), tiny.world())
      .train(in: tiny.path("out")) { _ in }
    let log = try String(contentsOfFile: tiny.path("out/train.jsonl"), encoding: .utf8)
    for line in log.split(separator: "\n") {
      let json = try JSONValue.parse(Array(line.utf8))
      losses.append(try #require(json["loss"]?.number))
      #expect(json["images_per_second"]?.number ?? 0 > 0)
    }
    let (first, last) = (
      losses.prefix(6).reduce(0, +) / 6, losses.suffix(6).reduce(0, +) / 6
    )
    print("loss of the first six of 60 steps \(first), of the last six \(last)")
    #expect(losses.count == 60 && last < 0.8 * first)
    #expect(outcome.seenSamples == 240 && outcome.unseenSamples == 0 && outcome.madeSteps == 60)
    let weights = try GroundingWeights(path: outcome.weights)
    try weights.configuration.checkFits(
      tiny.model.model.unetConfiguration, prediction: .noise, file: outcome.weights)
    _ = try weights.module()
  }

  @Test(arguments: [LatentInverter.Method.noise, .ddim])
  func aTrainingThatIsStoppedGoesOnToTheSameBytes(inversion: LatentInverter.Method) throws {
    let tiny = try TinyTraining(seenShare: 0.66)
    var settings = tiny.settings(steps: 7)
    settings.inversion = inversion
    _ = try tiny.run(settings, tiny.world()).train(in: tiny.path("whole")) { _ in }
    // Stopped behind steps that are saved for the stop, and once more at once.
    for stop in [3, 4, 6] {
      #expect(throws: Stop.self) {
        try tiny.run(settings, tiny.world()).train(in: tiny.path("cut")) { progress in
          if progress.step == stop { throw Stop() }
        }
      }
    }
    let last = try tiny.run(settings, tiny.world()).train(in: tiny.path("cut")) { _ in }
    #expect(last.madeSteps == 1)
    for file in ["weights.safetensors", "split.tsv", "training.json"] {
      #expect(try data(tiny.path("cut/" + file)) == data(tiny.path("whole/" + file)), "\(file)")
    }
    #expect(!FileManager.default.fileExists(atPath: tiny.path("cut/state.safetensors")))
    let again = try tiny.run(settings, tiny.world()).train(in: tiny.path("cut")) { _ in throw Stop()
    }
    #expect(again.madeSteps == 0 && again.weightsSHA256 == last.weightsSHA256)
    #expect(again.seenSamples == 28)
  }

  @Test func theLogIsTheProofAndMustBeWhole() throws {
    let tiny = try TinyTraining()
    let settings = tiny.settings(steps: 5)
    #expect(throws: Stop.self) {
      try tiny.run(settings, tiny.world()).train(in: tiny.path("out")) { progress in
        if progress.step == 3 { throw Stop() }
      }
    }
    let log = tiny.path("out/train.jsonl")
    let text = try String(contentsOfFile: log, encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // A line beyond what is saved, as a kill leaves it, is forgotten; one that is missing is not made up.
    let (first, second, third) = (String(lines[0]), String(lines[1]), String(lines[2]))
    let cases: [(kept: [String], told: String)] = [
      ([first], "line 2: the file ends"), ([first, third, second], "line 2: found another line"),
      ([first, "{", third], "line 2: found no JSON"),
    ]
    for (kept, part) in cases {
      let damaged = kept.map { $0 + "\n" }.joined()
      try Data(damaged.utf8).write(to: URL(fileURLWithPath: log))
      let error = try #require(throws: DatasetError.self) {
        try tiny.run(settings, tiny.world()).train(in: tiny.path("out")) { _ in }
      }
      #expect(error.code == .malformed && error.description.contains(part), "\(error)")
    }
    try Data((text + "{\"step\":4,\"lo").utf8).write(to: URL(fileURLWithPath: log))
    let outcome = try tiny.run(settings, tiny.world()).train(in: tiny.path("out")) { _ in }
    #expect(outcome.madeSteps == 2 && outcome.seenSamples == 20)
  }

  @Test func aLossThatIsNoNumberKeepsTheLastGoodWeights() throws {
    let tiny = try TinyTraining()
    var settings = tiny.settings(steps: 50)
    settings.learningRate = 1e37
    let error = try #require(throws: TrainingError.self) {
      try tiny.run(settings, tiny.world()).train(in: tiny.path("out")) { _ in }
    }
    #expect(error.code == .diverged)
    let weights = try GroundingWeights(path: tiny.path("out/weights.safetensors"))
    _ = try weights.module()
    #expect(try weights.tensors().values.allSatisfy(\.isFinite))
    #expect(FileManager.default.fileExists(atPath: tiny.path("out/state.safetensors")))
  }

  @Test func trainingBeginsWithGivenWeights() throws {
    let tiny = try TinyTraining()
    let first = try tiny.run(tiny.settings(steps: 2), tiny.world())
      .train(in: tiny.path("first")) { _ in }
    let settings = tiny.settings(steps: 3)
    let run = try GroundingTrainingRun(
      settings, examples: tiny.world(), model: tiny.model, fingerprint: tiny.fingerprint,
      numerics: "test", initial: first.weights)
    #expect(run.configuration["initial_sha256"]?.string == first.weightsSHA256)
    let second = try run.train(in: tiny.path("second")) { _ in }
    #expect(second.weightsSHA256 != first.weightsSHA256)
    let other = Fixture.folder.appendingPathComponent("grounding/published.safetensors").path
    #expect(throws: (any Error).self) {
      try GroundingTrainingRun(
        settings, examples: tiny.world(), model: tiny.model, fingerprint: tiny.fingerprint,
        numerics: "test", initial: other)
    }
  }
}
