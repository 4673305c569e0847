public import Checkpoints
public import NeuralLayers
public import TensorCore

/// Finds where entities are in a picture from the maps of the U-Net that makes it.
///
/// The maps of each level are projected and joined from the coarsest up; patches of the joined map become tokens, which
/// a decoder lets the entities' embeddings attend to; what comes out of it for an entity is compared with the joined
/// map at every place.
///
/// - Shapes: maps of the U-Net's blocks and entities [N, n, D] → logits [N, n, h, w], h × w the latents' size.
/// - Weights: `levels.i.projection`, `levels.i.mix`, `to_keys`, `to_queries`, `decoder.layers.i`, `mask_head`,
///   `presence_head`; or those of the published checkpoint.
/// - Source: Li et al., "Open-vocabulary Object Segmentation with Diffusion Models" (ICCV 2023), section 3;
///   Lipurple/Grounded-Diffusion `ldm/models/seg_module.py`.
public struct GroundingModule: Sendable {
  /// What the module says of some entities.
  public struct Result: Sendable {
    /// Where each is: logits [N, n, h, w].
    public let logits: Tensor
    /// Whether each is there: logits [N, n]; nil where the module has no say in it.
    public let presence: Tensor?

    package init(logits: Tensor, presence: Tensor?) {
      (self.logits, self.presence) = (logits, presence)
    }

    /// The logits at another size, by bilinear interpolation [N, n, `height`, `width`].
    ///
    /// Resizing them is the same as resizing the map before it is compared, as published: both are linear.
    public func logits(height: Int, width: Int) -> Tensor {
      let shape = logits.shape
      guard logits.count > 0 else { return logits.reshaped([shape[0], 0, height, width]) }
      // Planes run along their rows; as channels, few entities would leave vectors empty.
      let planes = logits.reshaped([shape[0] * shape[1], shape[2], shape[3], 1])
      return bilinearResized(planes, height: height, width: width)
        .reshaped([shape[0], shape[1], height, width])
    }
  }

  /// The module's shape.
  public let configuration: GroundingConfiguration
  /// Where means and variances come from; the file's own choice unless changed.
  public var statistics: GroundingConfiguration.Statistics
  private let projections: [FeatureProjection]
  /// Of every level but the coarsest.
  private let mixes: [MixConvolution]
  private let toKeys: PackedWeights
  private let toQueries: Linear
  private let layers: [DecoderLayer]
  private let head: MaskHead
  private let presenceHead: Linear?

  /// Reads the module's tensors and refuses leftovers.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent, misshapen or has no place.
  public init(_ weights: WeightScope, _ configuration: GroundingConfiguration) throws {
    let names = GroundingNames(
      isPublished: weights.firstPresent([GroundingNames.publishedDecoder]) != nil)
    let levels = configuration.levels
    self.configuration = configuration
    statistics = configuration.statistics
    projections = try levels.enumerated().map { index, level in
      try FeatureProjection(
        weights / names.projection(index), level,
        readsUnconditional: configuration.readsUnconditional)
    }
    mixes = try levels.indices.dropLast().map { index in
      try MixConvolution(
        weights / names.mix(index), channels: levels[index...].reduce(0) { $0 + $1.width },
        configuration, isPublished: names.isPublished)
    }
    // One product with a patch's values, channel-major then rows and columns, is a convolution from patch to patch.
    let (patch, mapWidth) = (configuration.patch, configuration.mapWidth)
    let keys = try (weights / names.keys).tensor(
      "weight", [configuration.width, mapWidth * patch * patch])
    toKeys = PackedWeights(
      convolution: keys.reshaped([configuration.width, mapWidth, patch, patch]),
      storedAs: (weights / names.keys).type(of: "weight") ?? .float32)
    toQueries = try Linear(
      weights / names.queries, inputs: configuration.textWidth, outputs: configuration.width,
      bias: false)
    layers = try (0..<configuration.layers).map { index in
      try DecoderLayer(weights / names.decoder / "layers" / index, configuration)
    }
    head = try MaskHead(weights / names.head, width: configuration.width, outputs: mapWidth)
    presenceHead =
      configuration.hasPresence
      ? try Linear(weights / "presence_head", inputs: configuration.width, outputs: 1) : nil
    try weights.checkEverythingUsed()
  }

  /// Whether a tensor of the module's file is a buffer, which forward passes in training change, and no parameter, which
  /// the optimiser changes.
  public static func isBuffer(_ key: String) -> Bool {
    let name = key.split(separator: ".").last.map(String.init) ?? key
    return ["running_mean", "running_var", "num_batches_tracked", "u0", "sv0"].contains(name)
      || name.hasPrefix("stored_mean") || name.hasPrefix("stored_var")
  }

  /// What a reading of the U-Net starts from.
  public var emptyFeatures: ProjectedFeatures {
    ProjectedFeatures(levels: configuration.levels.count)
  }

  /// Adds the next map of a level, in call order, to what is known of some samples.
  ///
  /// - Parameters:
  ///   - conditional: the map with the text [N, h, w, C].
  ///   - unconditional: the map without it [N, h, w, C]; not used where the module does not read it.
  ///   - level: its size, 0 that of the latents.
  ///   - features: where it is added.
  /// - Precondition: the channels are those of the configuration, and the unconditional map is there if it is read.
  public func add(
    conditional: Tensor, unconditional: Tensor?, level: Int, to features: inout ProjectedFeatures
  ) {
    let projection = projections[level]
    let block = features.counts[level] % projection.channels.count
    for half in projection.halves {
      guard let map = half == .conditional ? conditional : unconditional else {
        preconditionFailure("grounding: level \(level) lacks the map without the text")
      }
      precondition(
        map.rank == 4 && map.lastDimension == projection.channels[block],
        "grounding: block \(block) of level \(level) is \(map.shape), expected "
          + "\(projection.channels[block]) channels")
      features.sums[level] = projection(map, block: block, half, adding: features.sums[level])
    }
    features.counts[level] += 1
  }

  /// Finds entities.
  ///
  /// - Parameters:
  ///   - features: every map of every level, of N samples; those of several calls are averaged.
  ///   - entities: pooled text embeddings [N, n, D].
  ///   - training: a pass in training, where running statistics give way to those of the batch; nil otherwise.
  /// - Returns: where each is, and whether.
  /// - Precondition: no map is missing.
  public func callAsFunction(
    _ features: ProjectedFeatures, entities: Tensor, training: TrainingPass? = nil
  ) -> Result {
    let calls = features.counts[0] / configuration.levels[0].channels.count
    for (level, count) in features.counts.enumerated() {
      precondition(
        calls > 0 && count == calls * configuration.levels[level].channels.count,
        "grounding: level \(level) has \(count) maps, expected "
          + "\(calls) × \(configuration.levels[level].channels.count)")
    }
    let map = joinedMap(features.scaled(by: 1 / Float(calls)), training)  // [N, h, w, C]
    let (n, h, w, _) = map.dimensions4("grounding")
    let count = entities.dimensions3("grounding entities").t
    precondition(
      entities.shape == [n, count, configuration.textWidth],
      "grounding: entities \(entities.shape) for \(n) samples, width \(configuration.textWidth)")
    guard count > 0 else {
      return Result(
        logits: Tensor.zeros([n, 0, h, w]), presence: presenceHead.map { _ in .zeros([n, 0]) })
    }
    let memory = tokens(of: map)  // [N, T, D]
    var x = toQueries(entities)  // [N, n, D]
    for layer in layers { x = layer(x, memory: memory) }
    return Result(
      logits: Self.products(map, head(x)),
      presence: presenceHead.map { $0(x).reshaped([n, count]) })
  }

  /// Joins the levels from the coarsest up [N, h, w, C].
  ///
  /// As published, a level is brought to the size of the next finer one when it joins.
  private func joinedMap(_ features: ProjectedFeatures, _ training: TrainingPass?) -> Tensor {
    let sums = features.sums.compactMap { $0 }
    func resized(_ x: Tensor, nextTo level: Int) -> Tensor {
      let target = sums[max(level - 1, 0)].shape
      return bilinearResized(x, height: target[1], width: target[2])
    }
    let coarsest = sums.count - 1
    var x = resized(sums[coarsest], nextTo: coarsest)
    for level in (0..<coarsest).reversed() {
      x = joinedChannels([resized(x, nextTo: level), resized(sums[level], nextTo: level)])
      x = mixes[level](x, statistics, training)
    }
    return x
  }

  /// A token of each patch; maps that do not divide into patches go on as their last row and column are.
  private func tokens(of map: Tensor) -> Tensor {
    let patch = configuration.patch
    let (n, h, w, _) = map.dimensions4("grounding")
    let (rows, columns) = ((h + patch - 1) / patch, (w + patch - 1) / patch)
    let whole = edgeExtended(map, height: rows * patch, width: columns * patch)
    return convolution(whole, toKeys, stride: patch)
      .reshaped([n, rows * columns, configuration.width])
  }

  /// The product of every place with every entity, sample by sample.
  ///
  /// - Shapes: `map` [N, h, w, C], `embeddings` [N, n, C] → [N, n, h, w].
  private static func products(_ map: Tensor, _ embeddings: Tensor) -> Tensor {
    let (n, h, w, c) = map.dimensions4("grounding")
    let count = embeddings.shape[1]
    let samples = (0..<n).map { sample in
      let weights = PackedWeights(
        linear: embeddings.rows(sample..<sample + 1).reshaped([count, c]), precision: .exact)
      return linear(map.rows(sample..<sample + 1), weights).channelsFirst()
    }
    return joinedRows(samples).reshaped([n, count, h, w])
  }
}
