package import LatentDiffusion
import TensorCore
package import TextConditioning

/// All parts of a model, loaded once for looking at a few pictures.
public final class LoadedModel {
  /// Where the parts come from.
  public let model: StableDiffusionModel
  package let tokenizer: CLIPTokenizer
  package let encoder: CLIPTextEncoder
  package let conditioner: TextConditioner
  package let unet: UNet
  package let autoencoder: Autoencoder

  /// Loads every part.
  ///
  /// - Throws: `CheckpointError` or `DiffusionError` naming file and key.
  public init(_ model: StableDiffusionModel) throws {
    self.model = model
    tokenizer = try model.tokenizer()
    encoder = try model.textEncoder()
    conditioner = try TextConditioner(tokenizer: tokenizer, encoder: encoder)
    unet = try model.unet()
    autoencoder = try model.autoencoder()
  }

  /// Tokens of a prompt beyond what the model reads.
  public func surplusTokens(_ prompt: String) -> Int { conditioner.surplus(prompt) }
}
