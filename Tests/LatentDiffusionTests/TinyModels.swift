import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
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

  func weights(_ part: String) throws -> WeightScope {
    let file = "\(rawValue)/\(part)/diffusion_pytorch_model\(suffix).safetensors"
    return try Fixture("diffusion/\(file)").weights()
  }

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
