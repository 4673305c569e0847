import Checkpoints
import NeuralLayers
import TensorCore

/// CLIP's ConvNeXt, with its projection at every position instead of one for the picture.
///
/// - Shapes: `x` [N, H, W, 3] → maps of strides 4, 8, 16 and 32, and features [N, H/32, W/32, D], not normalised.
/// - Source: OpenCLIP `timm_model.py` with timm `convnext.py`; xb534/SED's fork of it, with `dense`.
struct SEDTrunk: Sendable {
  /// The pixels that one position of the coarsest map stands for, along a side.
  static let stride = 32

  private struct Stage: Sendable {
    let norm: LayerNorm?
    let downsampling: Conv2D?
    let blocks: [ConvNeXtBlock]

    func callAsFunction(_ x: Tensor) -> Tensor {
      let smaller = downsampling.flatMap { layer in norm.map { layer($0(x)) } } ?? x
      return blocks.reduce(smaller) { $1($0) }
    }
  }

  private let stem: Conv2D
  private let stemNorm: LayerNorm
  private let stages: [Stage]
  private let norm: LayerNorm
  private let projection: [Linear]

  /// Reads the trunk's tensors.
  ///
  /// - Parameters:
  ///   - weights: the place of CLIP's visual part.
  ///   - configuration: its sizes.
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  init(_ weights: WeightScope, _ configuration: SEDConfiguration) throws {
    let (widths, trunk) = (configuration.trunkWidths, weights / "trunk")
    stem = try Conv2D(
      trunk / "stem" / 0, inputs: 3, outputs: widths[0], kernel: 4, stride: 4, padding: Padding(0))
    stemNorm = try LayerNorm(
      trunk / "stem" / 1, width: widths[0], epsilon: ConvNeXtBlock.epsilon)
    stages = try widths.indices.map { index in
      let stage = trunk / "stages" / index
      let down = stage / "downsample"
      return Stage(
        norm: index == 0
          ? nil
          : try LayerNorm(down / 0, width: widths[index - 1], epsilon: ConvNeXtBlock.epsilon),
        downsampling: index == 0
          ? nil
          : try Conv2D(
            down / 1, inputs: widths[index - 1], outputs: widths[index], kernel: 2, stride: 2,
            padding: Padding(0)),
        blocks: try (0..<configuration.trunkDepths[index]).map {
          try ConvNeXtBlock(
            stage / "blocks" / $0, width: widths[index], kernel: configuration.trunkKernel,
            names: .timm)
        })
    }
    let width = widths[widths.count - 1]
    norm = try LayerNorm(trunk / "head" / "norm", width: width, epsilon: ConvNeXtBlock.epsilon)
    let head = weights / "head"
    if let inner = configuration.projectionWidth {
      projection = [
        try Linear(head / "mlp" / "fc1", inputs: width, outputs: inner),
        try Linear(
          head / "mlp" / "fc2", inputs: inner, outputs: configuration.featureWidth, bias: false),
      ]
    } else {
      projection = [
        try Linear(head / "proj", inputs: width, outputs: configuration.featureWidth, bias: false)
      ]
    }
  }

  /// Applies the trunk.
  func callAsFunction(_ x: Tensor) -> SEDFeatures {
    var maps: [Tensor] = []
    var last = stemNorm(stem(x))
    for stage in stages {
      last = stage(last)
      maps.append(last)
    }
    let normed = norm(last)
    let dense =
      projection.count == 1 ? projection[0](normed) : projection[1](projection[0](normed, then: .gelu))
    return SEDFeatures(maps: maps, dense: dense)
  }
}
