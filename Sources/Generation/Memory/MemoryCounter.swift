import Checkpoints
import LatentDiffusion
import MaskGrounding
import TensorCore
import TextConditioning

/// Goes through a run in figures; see ``MemoryPlan``.
struct MemoryCounter {
  /// Tensors of a component in the order of their keys.
  private struct Component {
    var tensors: [Weight]
  }

  /// A tensor of a file.
  private struct Weight {
    /// Floats' worth of memory that is kept.
    var kept: Int
    /// Elements as they are read before they are packed; 0 for what is not packed.
    var read: Int
    var fileBytes: Int
    /// The LoRA products that are added to it.
    var pairs: [LoRAFile.Pair]
  }

  private let model: StableDiffusionModel
  private let request: MemoryPlan.Request
  private let components: [Component]
  private let grounding: GroundingConfiguration?
  private let tokens: Int
  private let vocabulary: Int
  /// Bytes of all weights, as they are kept.
  let weightBytes: Int

  init(_ model: StableDiffusionModel, _ request: MemoryPlan.Request) throws {
    self.model = model
    self.request = request
    let adapted: [(String, LoRAComponent)] = [("text_encoder", .textEncoder), ("unet", .unet)]
    var components = try adapted.map { part, component in
      Self.component(try model.parts.weights(part)) { model.fitted.pairs(component, $0) }
    }
    var grounding: GroundingConfiguration?
    if case .grounding(let path, _) = request.masks?.source {
      components.append(Self.component(try WeightFile.open(path)))
      grounding = try GroundingWeights(path: path).configuration
    }
    components.append(Self.component(try model.parts.weights("vae")))
    let text = try model.textConfiguration()
    (tokens, vocabulary) = (text.positionCount, text.vocabularySize)
    (self.components, self.grounding) = (components, grounding)
    weightBytes = components.reduce(0) { sum, component in
      sum + component.tensors.reduce(0) { $0 + MemoryLayout<Float>.size * $1.kept }
    }
  }

  private static func component(
    _ source: any WeightSource, pairs: (String) -> [LoRAFile.Pair] = { _ in [] }
  ) -> Component {
    Component(
      tensors: source.keys.compactMap { key in
        guard let record = source.record(key), record.type.isComputable else { return nil }
        let (count, shape) = (record.count, record.shape)
        let bytes = count * record.type.byteCount
        guard shape.count == 2 || shape.count == 4, !key.contains("_embedding.weight") else {
          return Weight(kept: count, read: 0, fileBytes: bytes, pairs: pairs(key))
        }
        let packed = PackedWeights.byteCount(of: shape, storedAs: record.type)
        return Weight(
          kept: (packed + 3) / MemoryLayout<Float>.size, read: count, fileBytes: bytes,
          pairs: pairs(key))
      })
  }

  /// Bytes resident at the peak.
  func peak(batch: Int) -> Int {
    let pool = PlannedPool()
    let layers = PlannedLayers(pool: pool)
    var kept: [PlannedTensor] = []
    var filePages = 0
    for component in components {
      for tensor in component.tensors {
        var read = pool.take([max(tensor.read, tensor.kept)])
        filePages = max(filePages, pool.residentBytes + tensor.fileBytes)
        for pair in tensor.pairs { read = layers.adding(pair, to: read) }
        kept.append(tensor.read == 0 ? read : pool.take([tensor.kept]))
      }
      pool.trim()
    }
    if request.encodes { encode(layers) }
    let rounds = request.count > batch ? 2 : 1
    var others = 0
    for _ in 0..<rounds { others = max(others, run(layers, batch: batch)) }
    let fixed =
      MemoryPlan.base + Parallel.threadCount * MemoryPlan.threadBytes
      + vocabulary * MemoryPlan.pieceBytes
    return withExtendedLifetime(kept) { fixed + max(filePages, pool.peakBytes + others) }
  }

  private func encode(_ layers: PlannedLayers) {
    let settings = request.settings
    let planned = PlannedAutoencoder(
      layers: layers, configuration: model.autoencoderConfiguration, tiling: request.tiling)
    withExtendedLifetime(planned.encode(height: settings.height, width: settings.width)) {}
    layers.pool.trim()
  }

  /// A batch from its text to its masks; the bytes outside the pool.
  private func run(_ layers: PlannedLayers, batch: Int) -> Int {
    let settings = request.settings
    let cell = model.pixelsPerCell
    let (height, width) = (settings.height / cell, settings.width / cell)
    let rows = settings.guidance > 1 ? 2 * batch : batch
    let listener = listener(layers, samples: batch)
    let latents = layers.pool.take([rows, height, width, model.unetConfiguration.inputs])
    let denoiser = PlannedDenoiser(layers: layers, configuration: model.unetConfiguration)
    do {
      let text = denoiser.projectedText(rows: rows, tokens: tokens)
      for _ in 0..<min(2, settings.steps) {
        let prediction = denoiser.predict(latents, tokens: tokens, listener: listener)
        withExtendedLifetime((text, prediction)) {}
      }
    }
    // A way that is kept, to be shown again, has the latents of every step.
    let way = request.masks?.flipCheck == true ? settings.steps : 0
    let trajectory = layers.pool.take([way] + latents.shape)
    // Samples between the first and the last only add what is kept of them.
    let results = (0..<batch).map { index in
      index == 0 || index == batch - 1
        ? finish(layers, listener) : layers.pool.take(keptShape(hasMaps: listener != nil))
    }
    withExtendedLifetime((results, latents, trajectory)) {}
    return batch * pictureBytes + workBytes
  }

  private func listener(
    _ layers: PlannedLayers, samples: Int
  ) -> (any PlannedDenoiser.Listener)? {
    guard let masks = request.masks else { return nil }
    if let grounding { return PlannedGrounding(layers, grounding, samples: samples) }
    guard case .attention(let settings) = masks.source else { return nil }
    return PlannedAttention(layers, settings, samples: samples)
  }

  /// A sample behind its last step; what of it is kept until the batch is written.
  private func finish(
    _ layers: PlannedLayers, _ listener: (any PlannedDenoiser.Listener)?
  ) -> PlannedTensor {
    let settings = request.settings
    let cell = model.pixelsPerCell
    let pool = layers.pool
    pool.trim(above: SampleMaker.keptBytes)
    let image = PlannedAutoencoder(
      layers: layers, configuration: model.autoencoderConfiguration, tiling: request.tiling
    ).decode(height: settings.height / cell, width: settings.width / cell)
    pool.trim(above: SampleMaker.keptBytes)
    let maps = maps(layers, listener)
    let merged = pool.take(keptShape(hasMaps: maps != nil))
    return withExtendedLifetime((image, maps, merged)) { pool.take(merged.shape) }
  }

  private func keptShape(hasMaps: Bool) -> [Int] {
    [hasMaps ? request.entities : 0, request.settings.height, request.settings.width]
  }

  private func maps(
    _ layers: PlannedLayers, _ listener: (any PlannedDenoiser.Listener)?
  ) -> PlannedTensor? {
    switch listener {
    case let attention as PlannedAttention: attention.maps(entities: request.entities)
    case let grounding as PlannedGrounding:
      grounding.maps(
        entities: request.entities, height: request.settings.height, width: request.settings.width)
    default: nil
    }
  }

  /// Bytes of a picture with its mask, kept until it is written.
  private var pictureBytes: Int {
    request.settings.width * request.settings.height * (request.masks == nil ? 3 : 5)
  }

  /// Bytes that scores, masks and PNG take while they are made.
  private var workBytes: Int {
    request.settings.width * request.settings.height * (request.masks == nil ? 8 : 24)
  }
}
