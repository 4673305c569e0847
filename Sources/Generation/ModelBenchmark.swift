import Checkpoints
public import LatentDiffusion
import MaskGrounding
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
    /// A grounding module of the usual shape on one call's maps: from the U-Net's blocks to one entity's mask.
    case ground
    /// A picture with all steps.
    case image
    /// Reading and packing all weights that pictures with masks need, files being in memory already.
    case load
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
  ///   - tiling: whether the autoencoder works through large pictures piece by piece.
  ///   - grounding: with ``Part/load``, the file of a grounding module to read along; nil for none.
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError``.
  public init(
    _ part: Part, model: StableDiffusionModel, settings: SamplingSettings, batch: Int,
    tiling: AutoencoderTiling = .auto, grounding: String? = nil
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
      let autoencoder = try model.autoencoder(tiling: tiling)
      once = { _ = autoencoder.decode(latents) }
    case .vaeEncode:
      let autoencoder = try model.autoencoder(tiling: tiling)
      let picture = RandomStreams(seed: 1).normals(
        stream: 0, shape: [batch, settings.height, settings.width, 3])
      once = { _ = autoencoder.encode(picture) }
    case .text:
      let (tokenizer, encoder) = (try model.tokenizer(), try model.textEncoder())
      try encoder.checkFits(tokenizer)
      let ids = Array(repeating: tokenizer("a photo of a dog"), count: batch)
      once = { _ = encoder(ids) }
    case .ground:
      once = try Self.grounding(model, batch: batch, height: height, width: width)
    case .image, .load:
      let plan = try GenerationPlan(source: .prompts(["a photo of a dog"]), count: batch, seed: 0)
      func loaded() throws -> SampleMaker {
        try SampleMaker(model: model, plan: plan, settings: settings, tiling: tiling)
      }
      if part == .load {
        once = {
          _ = try loaded()
          if let grounding { _ = try GroundingWeights(path: grounding).module() }
        }
      } else {
        let maker = try loaded()
        once = { _ = try maker.make(Array(0..<batch)) { _ in } }
      }
    }
  }

  /// A run of a grounding module with random weights on random maps, `height` and `width` in latent cells.
  private static func grounding(
    _ model: StableDiffusionModel, batch: Int, height: Int, width: Int
  ) throws -> () throws -> Void {
    let pixels = model.pixelsPerCell
    let configuration = GroundingConfiguration(
      for: model.unetConfiguration, prediction: nil, pixelsPerCell: pixels)
    let weights = try GroundingWeights.random(configuration, seed: 1)
    let module = try GroundingModule(WeightScope(DictionarySource(weights)), configuration)
    let streams = RandomStreams(seed: 1)
    // One map for each number of channels and size stands for all of them.
    let maps = configuration.levels.enumerated().map { level, part in
      let unit = 1 << level
      let size = [(height + unit - 1) / unit, (width + unit - 1) / unit]
      return Dictionary(
        uniqueKeysWithValues: Set(part.channels).map {
          ($0, streams.normals(stream: UInt64($0), shape: [batch] + size + [$0]))
        })
    }
    let entities = streams.normals(stream: 0, shape: [batch, 1, configuration.textWidth])
    return {
      var features = module.emptyFeatures
      for (level, part) in configuration.levels.enumerated() {
        for channels in part.channels {
          guard let map = maps[level][channels] else { continue }
          module.add(conditional: map, unconditional: map, level: level, to: &features)
        }
      }
      let result = module(features, entities: entities)
      _ = sigmoid(result.logits(height: height * pixels, width: width * pixels))
    }
  }
}
