import CanonicalJSON
import Checkpoints
import Foundation
import MaskGrounding
import ModelTraining
import NeuralLayers
import TensorCore
import TestSupport
import Testing

/// A training that is stopped and gone on with, and files that are no state of it.
@Suite struct ResumeTests {
  private let folder: URL
  private let settings = TrainingSettings(
    learningRate: 2e-3, schedule: .init(.cosine(end: 0), total: 10, warmUp: 2), gradientLimit: 1,
    averageDecay: 0.99, seed: 7)

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "resume-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }

  @Test func tenStepsAreFiveAndFive() throws {
    defer { cleanUp() }
    let batch = try GroundingBatch()
    // What is drawn at random goes on too: part of the embeddings is dropped, another part at each step.
    func loss(_ weights: WeightScope, _ pass: TrainingPass) throws -> Tensor {
      let noise = pass.dropout(try weights.tensor("to_queries.weight", [24, 32]), rate: 0.3)
      return try batch.loss(weights, pass) + 0.01 * (noise * noise).sum()
    }
    func begin() throws -> Trainer {
      try Trainer(batch.weights, isBuffer: GroundingModule.isBuffer, settings, task: "grounding")
    }
    var whole = try begin()
    for _ in 0..<10 { _ = try whole.step(loss) }
    try whole.save(to: path("whole"))

    var first = try begin()
    for _ in 0..<5 { _ = try first.step(loss) }
    try first.save(to: path("half"))
    // Steps behind the last save are lost when a training is killed, and made again.
    for _ in 0..<2 { _ = try first.step(loss) }
    var second = try Trainer(resuming: path("half"), settings, task: "grounding")
    #expect(second.state.step == 5)
    while !second.isFinished { _ = try second.step(loss) }
    try second.save(to: path("halves"))
    #expect(try bytes("halves") == bytes("whole"))
    #expect(try bytes("half") != bytes("whole"))
    // The weights are a module.
    try GroundingWeights.write(second.state.weights, batch.configuration, to: path("module"))
    _ = try GroundingWeights(path: path("module")).module()
  }

  private func small(_ settings: TrainingSettings) throws -> Trainer {
    var trainer = try Trainer(
      ["a": Tensor([1, 2], shape: [2]), "b.weight": Tensor([3], shape: [1])], settings,
      task: "small")
    _ = try trainer.step { weights, _ in
      try weights.tensor("a", [2]).sum() + weights.tensor("b.weight", [1]).sum()
    }
    return trainer
  }

  @Test func aSaveThatFailsLeavesTheOldState() throws {
    defer { cleanUp() }
    let trainer = try small(settings)
    try trainer.save(to: path("state"))
    let before = try bytes("state")
    let error = try #require(throws: CheckpointError.self) {
      try trainer.save(to: path("missing/state"))
    }
    #expect(error.code == .unwritable)
    // A kill while writing leaves a temporary file beside the state.
    try Data([1, 2, 3]).write(to: folder.appendingPathComponent(".triptych-1-x.tmp"))
    #expect(try bytes("state") == before)
    #expect(try Trainer(resuming: path("state"), settings, task: "small").state.step == 1)
  }

  @Test func damagedAndForeignStatesAreRefused() throws {
    defer { cleanUp() }
    try small(settings).save(to: path("state"))
    let whole = try bytes("state")
    func refused(_ name: String, _ task: String = "small", _ other: TrainingSettings? = nil) throws
      -> CheckpointError
    {
      let error = try #require(throws: CheckpointError.self, "\(name)") {
        try Trainer(resuming: path(name), other ?? settings, task: task)
      }
      #expect(!error.description.contains("\n"))
      return error
    }
    #expect(try refused("absent").code == .missingFile)
    for length in [0, 7, 100, whole.count - 1] {
      try whole.prefix(length).write(to: folder.appendingPathComponent("cut"))
      _ = try refused("cut")
    }
    #expect(try refused("state", "another").key == "triptych_training.task")
    var other = settings
    other.optimizer = .adamW(.init(beta2: 0.99))
    let difference = try refused("state", "small", other)
    #expect(difference.key == "triptych_training.settings.optimizer.beta2")
    #expect(difference.message.contains("begun with 0.999, now asked for is 0.99;"))
    other = settings
    other.schedule.total = 20
    #expect(try refused("state", "small", other).key == "triptych_training.settings.schedule.total")

    let notes = try #require(try SafetensorsFile(path: path("state")).metadata["triptych_training"])
    let changes: [(String, (inout SafetensorsWriter) -> Void)] = [
      ("step", { _ in }),
      ("mean.b.weight", { $0.add("step", integers: [1], shape: [1]) }),
    ]
    for (key, change) in changes {
      var writer = SafetensorsWriter(metadata: ["triptych_training": notes])
      let one = Tensor([1], shape: [1])
      writer.add("parameter.b.weight", one)
      change(&writer)
      try writer.write(to: path("partial"))
      #expect(try refused("partial").key == key)
    }
    for (key, step, square) in [
      ("step", Int64(-1), Float(1)), ("step", 11, 1), ("square.a", 1, -1),
    ] {
      var writer = SafetensorsWriter(metadata: ["triptych_training": notes])
      for part in ["parameter", "mean", "square", "average"] {
        writer.add("\(part).a", Tensor([part == "square" ? square : 1], shape: [1]))
      }
      writer.add("step", integers: [step], shape: [1])
      try writer.write(to: path("partial"))
      #expect(try refused("partial").key == key)
    }
    for text in ["{}", "no", "{\"format\":2}"] {
      try SafetensorsWriter(metadata: ["triptych_training": text]).write(to: path("notes"))
      #expect(try refused("notes").key?.hasPrefix("triptych_training") == true)
    }
    try SafetensorsWriter().write(to: path("plain"))
    #expect(try refused("plain").code == .unsupported)
  }

  private func cleanUp() {
    do {
      try FileManager.default.removeItem(at: folder)
    } catch {
      Issue.record("\(folder) cannot be removed: \(error)")
    }
  }
}
