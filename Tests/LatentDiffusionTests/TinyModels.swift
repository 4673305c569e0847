import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
import TensorCore
import TestSupport

/// The tiny models under Tests/Fixtures/diffusion.
enum TinyModel: String, CaseIterable, Sendable {
  case sd1 = "tiny-sd1"
  case sd2 = "tiny-sd2"

  private var suffix: String { self == .sd2 ? ".fp16" : "" }

  func json(_ part: String, _ file: String = "config.json") throws -> JSONValue {
    let url = Fixture.folder.appendingPathComponent("diffusion/\(rawValue)/\(part)/\(file)")
    return try JSONValue.parse(Data(contentsOf: url))
  }

  func file(_ part: String) throws -> Fixture {
    try Fixture("diffusion/\(rawValue)/\(part)/diffusion_pytorch_model\(suffix).safetensors")
  }

  func weights(_ part: String) throws -> WeightScope { try file(part).weights() }

  func unet() throws -> UNet {
    try UNet(weights("unet"), UNetConfiguration(json("unet"), file: "unet/config.json"))
  }

  func autoencoder() throws -> Autoencoder {
    try Autoencoder(weights("vae"), AutoencoderConfiguration(json("vae"), file: "vae/config.json"))
  }

  func scheduler(_ kind: SchedulerConfiguration.Kind? = nil) throws -> any Scheduler {
    let file = "scheduler_config.json"
    return try SchedulerConfiguration(json("scheduler", file), file: file).scheduler(kind)
  }
}

/// A fixture's tensors with some names or values changed.
struct EditedSource: WeightSource {
  private let tensors: [String: Tensor]

  init(
    _ fixture: Fixture, renaming: (String) -> String = { $0 },
    editing: (_ key: String, Tensor) -> Tensor
  ) throws {
    var tensors: [String: Tensor] = [:]
    for key in fixture.keys {
      let name = renaming(key)
      tensors[name] = editing(name, try fixture.tensor(key))
    }
    self.tensors = tensors
  }

  var name: String { "edited" }

  var keys: [String] { tensors.keys.sorted() }

  func record(_ key: String) -> TensorRecord? {
    tensors[key].map { TensorRecord(type: .float32, shape: $0.shape) }
  }

  func tensor(_ key: String) throws -> Tensor {
    guard let tensor = tensors[key] else {
      throw CheckpointError(.missingTensor, file: name, key: key, "the tensor is missing")
    }
    return tensor
  }
}
