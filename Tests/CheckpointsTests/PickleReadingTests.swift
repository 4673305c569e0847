import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// Files of torch.save (Tests/Fixtures/checkpoints/generate_torch.py).
@Suite struct PickleReadingTests {
  private func ramp(_ count: Int) -> [Float] { (0..<count).map { Float($0 - 7) * 0.25 } }

  @Test func aModulesStateIsRead() throws {
    let file = try PickleFile(path: torchFixture("module.pth"))
    #expect(
      file.keys == [
        "linear.bias", "linear.weight", "norm.bias", "norm.num_batches_tracked",
        "norm.running_mean", "norm.running_var", "norm.weight",
      ])
    #expect(file.nesting == nil && file.passedOver.isEmpty)
    #expect(file.record("linear.weight") == TensorRecord(type: .float32, shape: [2, 3]))
    #expect(file.record("norm.num_batches_tracked") == TensorRecord(type: .int64, shape: []))
    #expect(try file.tensor("linear.weight").values == ramp(6))
    #expect(try file.tensor("norm.running_var").values == [1, 1])
    #expect(file.parameterCount == 16)
  }

  @Test(arguments: ["every-type.pt", "protocol-4.pt"])
  func everyTypeAndViewIsRead(_ name: String) throws {
    let file = try PickleFile(path: torchFixture(name))
    for (key, count) in [("f64", 12), ("f32", 30), ("f16", 35), ("bf16", 33), ("parameter", 12)] {
      #expect(try file.tensor(key).values == ramp(count), "\(key)")
    }
    #expect(file.record("f64") == TensorRecord(type: .float64, shape: [3, 4]))
    #expect(file.record("i64")?.type == .int64 && file.record("bool")?.type == .bool)
    #expect(file.record("i32")?.type == .int32 && file.record("u8")?.type == .uint8)
    let scalar = try file.tensor("scalar")
    #expect(scalar.shape == [] && scalar.values == [2.5])
    #expect(try file.tensor("empty").shape == [0, 3])
    let rows = try file.tensor("rows")
    #expect(rows.shape == [2, 4] && rows.values == Array(ramp(12)[4...]))
    let turned = try file.tensor("transposed")
    #expect(turned.shape == [4, 3])
    #expect(turned.values == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map { ramp(12)[$0] })
    #expect(try file.tensor("column").values == [2, 6, 10].map { ramp(12)[$0] })
    let error = try refusal { try file.tensor("i64") }
    #expect(error.code == .unsupported && error.message.contains("I64"))
    #expect(try refusal { try file.tensor("none") }.code == .missingTensor)
  }

  @Test func aTrainingCheckpointIsReadAtItsTensors() throws {
    let file = try PickleFile(path: torchFixture("training.ckpt"))
    #expect(file.keys == ["betas", "model.weight", "model_ema.decay"])
    #expect(file.nesting == "state_dict")
    #expect(
      file.passedOver == [
        "callbacks", "epoch", "global_step", "lr_schedulers", "optimizer_states",
        "pytorch-lightning_version",
      ])
    #expect(try file.tensor("model.weight").values == ramp(4))
  }

  @Test func whatLightningSavesBesideTheStateIsPassedOver() throws {
    let path = Fixture.folder.appendingPathComponent("singlefile/sd1.ckpt").path
    let file = try PickleFile(path: path)
    #expect(
      file.passedOver == [
        "callbacks", "epoch", "global_step", "hyper_parameters", "loops", "lr_schedulers",
        "optimizer_states", "pytorch-lightning_version",
      ])
    #expect(file.numbers == ["epoch": 3, "global_step": 470000])
    #expect(file.passedOverClasses.contains("omegaconf.dictconfig.DictConfig"))
    #expect(
      file.passedOverClasses.contains(
        "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"))
    let whole = try SafetensorsFile(
      path: Fixture.folder.appendingPathComponent("singlefile/sd1.safetensors").path)
    for key in whole.keys where whole.record(key)?.type.isComputable == true {
      #expect(
        try file.record(key) == whole.record(key)
          && file.tensor(key).values
            == whole.tensor(key).values,
        "\(key)")
    }
  }

  @Test func filesAreToldApartByTheirContents() throws {
    #expect(try WeightFile.open(torchFixture("module.pth")) is PickleFile)
    #expect(try WeightFile.open(fixturePath("every-type.safetensors")) is SafetensorsFile)
    let legacy = try refusal { try WeightFile.open(torchFixture("legacy.pth")) }
    #expect(legacy.code == .unsupported && legacy.message.contains("torch.save"))
    let folder = try TemporaryFolder()
    // The length of a header may look like the first bytes of the others.
    for length in [0x80, 0x4B50] {
      let header = "{\(entry("w", "F32", "[1]", 0, 4))}"
      let padded = header + String(repeating: " ", count: length - header.utf8.count)
      let path = try folder.write(safetensors(padded, dataCount: 4), to: "w")
      #expect(try WeightFile.open(path) is SafetensorsFile)
    }
    for junk in [[1, 2, 3], Array("<!DOCTYPE html><html>".utf8), [UInt8](repeating: 0, count: 99)] {
      let error = try refusal { try WeightFile.open(try folder.write(junk, to: "junk")) }
      #expect(error.code == .malformed && error.message.contains("neither safetensors"))
    }
    #expect(
      try refusal { try WeightFile.open(try folder.write([], to: "none")) }.code == .malformed)
    #expect(try refusal { try WeightFile.open(folder["absent"]) }.code == .missingFile)
  }

  @Test func doublesBeyondSinglePrecisionAreRefused() throws {
    let folder = try TemporaryFolder()
    let data = withUnsafeBytes(of: 1e300.bitPattern.littleEndian) { Array($0) }
    let tensor = Pickled.tensor(
      Pickled.storage("0", "DoubleStorage", count: 1), shape: [1], strides: [1])
    let pickle = Pickled.proto + Pickled.dictionary([("w", tensor)]) + Pickled.stop
    let path = try folder.write(
      zipArchive([("x/data.pkl", pickle), ("x/data/0", data)]), to: "x.pth")
    let error = try refusal { try PickleFile(path: path).tensor("w") }
    #expect(error.code == .notFinite && error.key == "w")
  }

  @Test func viewsOfAnySeededStridesAgreeWithIndexing() throws {
    var random = SeededGenerator(seed: 21)
    let folder = try TemporaryFolder()
    var accepted = 0
    for _ in 0..<300 {
      let shape = (0..<random.choose([1, 2, 3])).map { _ in random.choose([1, 2, 3, 4]) }
      let strides = shape.map { _ in random.choose([0, 1, 2, 3, 4, 6]) }
      let offset = random.choose([0, 1, 5, 11, 12])
      let last = offset + zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
      let count = shape.reduce(1, *)
      let tensor = Pickled.tensor(
        Pickled.storage("0", count: 12), offset: offset, shape: shape, strides: strides)
      let path = try folder.write(Pickled.file(tensor: tensor), to: "x.pth")
      guard last < 12 && count <= 12 else {
        let error = try refusal { try PickleFile(path: path) }
        #expect(error.message.contains("outside its storage of 12"), "\(error)")
        continue
      }
      accepted += 1
      var expected: [Float] = []
      for element in 0..<count {
        var (rest, place) = (element, offset)
        for axis in shape.indices.reversed() {
          place += rest % shape[axis] * strides[axis]
          rest /= shape[axis]
        }
        expected.append(Float(place))
      }
      #expect(try PickleFile(path: path).tensor("w").values == expected, "\(shape) \(strides)")
    }
    #expect(accepted > 50 && accepted < 300)
  }
}
