import LatentDiffusion
import TensorCore
import TextConditioning

/// Timed runs of a model's parts on made-up inputs.
public struct ModelBenchmark {
  /// What to time.
  public enum Part: String, Sendable, CaseIterable {
    /// One guided pass: the denoiser on twice the batch.
    case unet
    /// Latents to pictures.
    case vaeDecode = "vae-decode"
    /// Pictures to latents.
    case vaeEncode = "vae-encode"
    /// Prompts to conditions.
    case text
    /// A picture with all steps.
    case image
  }

  /// Runs the part once.
  public let once: () throws -> Void

  /// Loads what the part needs.
  ///
  /// - Parameters:
  ///   - part: what to time.
  ///   - model: the folder.
  ///   - settings: size of pictures, steps, guidance.
  ///   - batch: samples at once; the denoiser sees exactly so many rows, or twice as many within a picture.
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError``.
  public init(
    _ part: Part, model: StableDiffusionModel, settings: SamplingSettings, batch: Int
  ) throws {
    let (height, width) = (
      settings.height / model.pixelsPerCell, settings.width / model.pixelsPerCell
    )
    let seeds = (0..<batch).map { UInt64($0) }
    let latents = LatentNoise.initial(
      seeds: seeds, height: height, width: width,
      channels: model.autoencoderConfiguration.latentChannels)
    switch part {
    case .unet:
      let unet = try model.unet()
      let length = try model.tokenizer().length
      let text = RandomStreams(seed: 1).normals(
        stream: 0, shape: [batch, length, model.unetConfiguration.textWidth])
      let projected = unet.project(text: text)
      once = { _ = unet(latents, timesteps: [500], projectedText: projected) }
    case .vaeDecode:
      let autoencoder = try model.autoencoder()
      once = { _ = autoencoder.decode(latents) }
    case .vaeEncode:
      let autoencoder = try model.autoencoder()
      let picture = RandomStreams(seed: 1).normals(
        stream: 0, shape: [batch, settings.height, settings.width, 3])
      once = { _ = autoencoder.encode(picture) }
    case .text:
      let (tokenizer, encoder) = (try model.tokenizer(), try model.textEncoder())
      try encoder.checkFits(tokenizer)
      let ids = Array(repeating: tokenizer("a photo of a dog"), count: batch)
      once = { _ = encoder(ids) }
    case .image:
      let plan = try GenerationPlan(source: .prompts(["a photo of a dog"]), count: batch, seed: 0)
      let maker = try SampleMaker(model: model, plan: plan, settings: settings)
      once = { _ = try maker.make(Array(0..<batch)) { _ in } }
    }
  }
}
