import Checkpoints
import TextConditioning

/// The tensors of a single file in the original layout, sorted by the part of the model they belong to.
///
/// - Source: CompVis stable-diffusion `ddpm.py` (`LatentDiffusion`), whose module tree the keys follow.
struct SingleFileContents {
  /// What the denoiser's keys begin with.
  static let denoiser = "model.diffusion_model."
  /// What the autoencoder's keys begin with.
  static let autoencoder = "first_stage_model."
  private static let text = "cond_stage_model."
  /// Buffers that are computed from the noise schedule, and marks that programs leave.
  private static let buffers: Set<String> = [
    "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod", "posterior_variance", "posterior_log_variance_clipped",
    "posterior_mean_coef1", "posterior_mean_coef2", "lvlb_weights", "logvar", "scale_factor",
    "model_ema.decay", "model_ema.num_updates", "v_pred", "ztsnr",
  ]
  /// What text encoders hold beside the part that is read.
  private static let textExtras = [
    ".position_ids", ".logit_scale", ".text_projection", ".text_projection.weight", ".attn_mask",
  ]
  /// The layers of the published OpenCLIP tower that Stable Diffusion 2 reads, all but the last.
  private static let publishedLayers = 23

  /// The denoiser.
  private(set) var unet: [String: RenamedWeights.Place] = [:]
  /// The denoiser's averaged weights.
  private(set) var average: [String: RenamedWeights.Place] = [:]
  /// The autoencoder.
  private(set) var vae: [String: RenamedWeights.Place] = [:]
  /// The text encoder.
  private(set) var textEncoder: [String: RenamedWeights.Place] = [:]
  /// Which text encoder it is; nil where there is none.
  let tower: OriginalTextKeys.Tower?
  /// Whether every stored layer of the text encoder is read, rather than all but the last.
  let readsEveryTextLayer: Bool
  /// Keys that are known and not needed, sorted.
  private(set) var skipped: [String] = []
  /// Keys that are not known and belong to no part, sorted.
  private(set) var unexpected: [String] = []

  /// Sorts the keys of a file.
  ///
  /// - Parameters:
  ///   - source: the file.
  ///   - textLayers: layers of the text encoder that are read, where a configuration says so.
  init(_ source: any WeightSource, textLayers: Int?) {
    let towers: [OriginalTextKeys.Tower] = [.clip, .openCLIP]
    let tower = towers.first { tower in
      tower.tables.contains { source.record(tower.prefix + $0) != nil }
    }
    self.tower = tower
    let keys = source.keys
    let numbers = keys.compactMap { key in
      Self.rest(of: key, behind: OriginalTextKeys.Tower.openCLIP.prefix)
        .flatMap(CLIPTowerKeys.layer)
    }
    let stored = Set(numbers).count
    let layers = textLayers ?? (stored == Self.publishedLayers ? stored : stored - 1)
    readsEveryTextLayer = layers >= stored
    let averages = keys.map { AveragedKeys.name($0) }
    let unetKeys = OriginalUNetKeys(
      Set(keys.compactMap { Self.rest(of: $0, behind: Self.denoiser) }).union(
        averages.compactMap { $0 }))
    let autoencoderKeys = OriginalAutoencoderKeys(
      Set(keys.compactMap { Self.rest(of: $0, behind: Self.autoencoder) }))
    for (key, averaged) in zip(keys, averages) {
      if let rest = Self.rest(of: key, behind: Self.denoiser) {
        place(key, unetKeys.name(rest), in: \.unet)
      } else if let averaged {
        place(key, unetKeys.name(averaged), in: \.average)
      } else if Self.buffers.contains(key) || key.hasPrefix(AveragedKeys.prefix) {
        skipped.append(key)
      } else if let rest = Self.rest(of: key, behind: Self.autoencoder) {
        if rest.hasPrefix("loss.") {
          skipped.append(key)
        } else {
          let found = autoencoderKeys.name(rest)
          place(key, found?.name, found?.change ?? .none, in: \.vae)
        }
      } else if key.hasPrefix(Self.text) {
        sortText(key, layers: layers)
      } else {
        unexpected.append(key)
      }
    }
  }

  /// Whether a file has a denoiser, plain or averaged, in the original layout.
  static func isWholeModel(_ source: any WeightSource) -> Bool {
    source.keys.contains { $0.hasPrefix(denoiser) || AveragedKeys.name($0) != nil }
  }

  private static func rest(of key: String, behind prefix: String) -> String? {
    key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : nil
  }

  private mutating func sortText(_ key: String, layers: Int) {
    if Self.textExtras.contains(where: key.hasSuffix)
      || key.hasPrefix("cond_stage_model.model.visual.")
    {
      skipped.append(key)
      return
    }
    guard let tower, let rest = Self.rest(of: key, behind: tower.prefix) else {
      return place(key, nil, in: \.textEncoder)
    }
    if tower == .openCLIP, let layer = CLIPTowerKeys.layer(rest), layer >= layers {
      skipped.append(key)
      return
    }
    let names = OriginalTextKeys.names(rest, tower)
    guard !names.isEmpty else { return place(key, nil, in: \.textEncoder) }
    for (name, change) in names { place(key, name, change, in: \.textEncoder) }
  }

  /// Notes where a tensor goes; one without a name, or whose name is taken, keeps its key, so that the layers refuse it.
  private mutating func place(
    _ key: String, _ name: String?, _ change: RenamedWeights.Change = .none,
    in part: WritableKeyPath<SingleFileContents, [String: RenamedWeights.Place]>
  ) {
    if let name, self[keyPath: part][name] == nil {
      self[keyPath: part][name] = RenamedWeights.Place(key: key, change: change)
    } else {
      self[keyPath: part][key] = RenamedWeights.Place(key: key)
    }
  }
}
