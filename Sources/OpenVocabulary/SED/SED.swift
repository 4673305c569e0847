public import Checkpoints
public import TensorCore

/// SED: CLIP's ConvNeXt sees a picture at four scales, its coarsest positions are compared with sentences, and a decoder
/// fuses the comparison with the picture, scale by scale.
///
///     let file = try SEDFile(path: "sed_model_base.pth")
///     let network = try file.network()
///     let prediction = try network(picture, classes: embeddings, SEDOptions(rejection: 8))
///
/// - Source: Xie et al., "SED: A Simple Encoder-Decoder for Open-Vocabulary Semantic Segmentation" (CVPR 2024); xb534/SED.
public struct SED: Sendable {
  /// The sizes.
  public let configuration: SEDConfiguration
  private let trunk: SEDTrunk
  private let decoder: SEDDecoder

  /// Reads the network's tensors.
  ///
  /// - Parameters:
  ///   - weights: the place of `clip_model` and `transformer`.
  ///   - configuration: the sizes.
  /// - Throws: `CheckpointError` with the full key if a tensor is absent or misshapen.
  public init(_ weights: WeightScope, _ configuration: SEDConfiguration) throws {
    self.configuration = configuration
    trunk = try SEDTrunk(weights / "clip_model" / "visual", configuration)
    decoder = try SEDDecoder(weights / "transformer", configuration)
  }

  /// What the trunk sees.
  ///
  /// - Parameter images: [N, H, W, 3], normalised as ``SEDPreprocessing`` does.
  /// - Returns: the maps of its stages, and the projected features.
  /// - Throws: ``SegmenterError`` where a side is no multiple of 32.
  public func features(_ images: Tensor) throws -> SEDFeatures {
    let (n, h, w, c) = images.dimensions4("SED")
    precondition(c == 3 && n > 0, "SED: expected [N, H, W, 3], got \(images.shape)")
    let unit = SEDTrunk.stride
    guard h > 0 && w > 0 && h.isMultiple(of: unit) && w.isMultiple(of: unit) else {
      throw SegmenterError(
        .usage, "", "a picture of \(w)×\(h) pixels, expected sides in multiples of \(unit)")
    }
    return trunk(images)
  }

  /// What the decoder makes of features and classes.
  ///
  /// - Parameters:
  ///   - features: of one or more pictures.
  ///   - classes: [T, P, D], P sentences for each class, each of length 1, as
  ///     ``ClassText/classEmbeddings(_:synonyms:templates:)`` makes them.
  ///   - options: how it runs.
  /// - Returns: logits of each class on its own, at a quarter of the pictures' size.
  /// - Throws: ``SegmenterError`` where the classes do not go with the model, or the options not with the pictures.
  public func decode(
    _ features: SEDFeatures, classes: Tensor, _ options: SEDOptions = SEDOptions()
  ) throws -> SEDPrediction {
    try check(features, classes, options)
    var logits: [Tensor] = []
    var auxiliary: [[Tensor]] = []
    var survivors: [[Bool]] = []
    for index in 0..<features.dense.shape[0] {
      var decoding = SEDDecoding(
        decoder, features.sample(index), sentences: classes, options: options)
      logits.append(decoding.logits())
      auxiliary.append(decoding.auxiliaryLogits)
      survivors = decoding.survivors
    }
    return SEDPrediction(
      logits: joinedRows(logits), survivors: survivors,
      auxiliaryLogits: auxiliary[0].indices.map { stage in
        joinedRows(auxiliary.map { $0[stage] })
      })
  }

  /// Trunk and decoder.
  ///
  /// - Throws: ``SegmenterError`` as ``features(_:)`` and ``decode(_:classes:_:)`` do.
  public func callAsFunction(
    _ images: Tensor, classes: Tensor, _ options: SEDOptions = SEDOptions()
  ) throws -> SEDPrediction {
    try decode(try features(images), classes: classes, options)
  }

  private func check(
    _ features: SEDFeatures, _ classes: Tensor, _ options: SEDOptions
  ) throws {
    let (n, h, w, d) = features.dense.dimensions4("SED")
    let wanted = [configuration.templates, configuration.featureWidth]
    guard classes.rank == 3, classes.shape[0] > 0, Array(classes.shape.dropFirst()) == wanted,
      d == configuration.featureWidth
    else {
      throw SegmenterError(
        .usage, "",
        "class embeddings \(classes.shape), expected [classes, \(wanted[0]), \(wanted[1])]: "
          + "\(wanted[0]) sentences for each class, each of \(wanted[1]) numbers")
    }
    guard !options.rejects || n == 1 else {
      throw SegmenterError(
        .usage, "",
        "early rejection chooses classes for one picture, found a batch of \(n); "
          + "give one picture at a time")
    }
    guard min(h, w) >= options.pooling else {
      throw SegmenterError(
        .usage, "",
        "a picture of \(w * SEDTrunk.stride)×\(h * SEDTrunk.stride) pixels is too small for a pooling of "
          + "\(options.pooling)×\(options.pooling), expected sides from \(options.pooling * SEDTrunk.stride)"
      )
    }
  }
}
