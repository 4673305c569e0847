import Checkpoints
import NeuralLayers
import TensorCore

/// SED's gradual fusion decoder: cosines of positions with sentences, embedded and brought to a quarter of the picture's
/// size in three stages.
///
/// - Weights: `conv1`, `decoder_guidance_projection`, `decoder_corr_guidance_projection`, `decoder1` to `decoder3`, `head0`
///   to `head2`, `head`.
/// - Source: Xie et al., "SED: A Simple Encoder-Decoder for Open-Vocabulary Semantic Segmentation" (CVPR 2024), 3.3 and 3.4;
///   xb534/SED `model.py` (`Aggregator`).
struct SEDDecoder: Sendable {
  /// A stage: fusion over space, over classes, and with the picture.
  struct Stage: Sendable {
    let spatial: ConvNeXtBlock
    let attention: SEDClassAttention
    let fusion: SEDFusion
    let guidance: Conv2D
    let costGuidance: TransposedConv2D
  }

  let embedding: Conv2D
  let stages: [Stage]
  /// The auxiliary heads before the three stages.
  let auxiliaryHeads: [Conv2D]
  let head: Conv2D

  /// Reads the decoder's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  init(_ weights: WeightScope, _ configuration: SEDConfiguration) throws {
    embedding = try Conv2D(
      weights / "conv1", inputs: configuration.templates, outputs: configuration.stages[0].inputs,
      kernel: configuration.embeddingKernel)
    var costs = configuration.templates
    var stages: [Stage] = []
    for (index, stage) in configuration.stages.enumerated() {
      let place = weights / "decoder\(index + 1)"
      stages.append(
        Stage(
          spatial: try ConvNeXtBlock(
            place / "cnext", width: stage.inputs, kernel: stage.kernel, names: .original),
          attention: try SEDClassAttention(place / "attention", width: stage.inputs),
          fusion: try SEDFusion(place, stage),
          guidance: try Conv2D(
            weights / "decoder_guidance_projection" / index / 0,
            inputs: configuration.trunkWidths[2 - index], outputs: stage.guidance, kernel: 3),
          costGuidance: try TransposedConv2D(
            weights / "decoder_corr_guidance_projection" / index / 0, inputs: costs,
            outputs: stage.guidance, kernel: 2)))
      costs = stage.guidance
    }
    self.stages = stages
    auxiliaryHeads = try configuration.stages.enumerated().map { index, stage in
      try Conv2D(weights / "head\(index)", inputs: stage.inputs, outputs: 1, kernel: 3)
    }
    head = try Conv2D(weights / "head", inputs: configuration.outputs, outputs: 1, kernel: 3)
  }

  /// What the picture's guidance adds to the first convolution of each stage.
  func pictureTerms(_ features: SEDFeatures) -> [Tensor] {
    stages.enumerated().map { index, stage in
      stage.fusion.pictureTerm(stage.guidance(features.maps[2 - index], then: .relu))
    }
  }

  /// Cosines of positions with each class's sentences.
  ///
  /// - Shapes: `positions` [1, h, w, D] and `sentences` [T, P, D], all of length 1 → [T, h, w, P].
  func costMap(_ positions: Tensor, sentences: Tensor) -> Tensor {
    let (t, p, d) = sentences.dimensions3("cost map")
    // One class after another, so that the map comes out by class; cosines are never narrowed.
    return joinedRows(
      (0..<t).map { index in
        let weights = sentences.rows(index..<index + 1).reshaped([p, d])
        return linear(positions, PackedWeights(linear: weights, precision: .exact))
      })
  }

  /// The cost map at the size behind a stage, through every transposed convolution up to it [T, 2H, 2W, G].
  func costGuidance(_ cost: Tensor, stage: Int) -> Tensor {
    stages[...stage].reduce(cost) { $1.costGuidance($0, then: .relu) }
  }
}
