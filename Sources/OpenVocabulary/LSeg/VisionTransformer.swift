import Checkpoints
import NeuralLayers
import TensorCore

/// The sizes of a vision transformer.
struct VisionTransformerSizes: Sendable, Equatable {
  private static let headWidth = 64

  /// Pixels on a patch's side, 16 or 32.
  let patch: Int
  /// D, the width of a token.
  let width: Int
  /// The width between a layer's two linear maps.
  let innerWidth: Int
  /// The number of layers, a multiple of four.
  let layerCount: Int
  /// The side of the stored grid of positions.
  let gridSide: Int

  var headCount: Int { width / Self.headWidth }

  /// The layers whose outputs are read, the finest map's first: the last of each quarter.
  var hooks: [Int] { (1...4).map { $0 * layerCount / 4 - 1 } }

  init(_ shape: StoredShapes) throws {
    let model = "pretrained.model."
    let key = model + "patch_embed.proj.weight"
    let patches = try shape(key, axes: 4)
    (width, patch) = (patches[0], patches[2])
    guard patch == 16 || patch == 32, width.isMultiple(of: Self.headWidth) else {
      throw CheckpointError(
        .unsupported, file: shape.source.name, key: shape.prefix + key,
        "found patches of \(patch) pixels and width \(width), expected 16 or 32 pixels and a width that is a "
          + "multiple of \(Self.headWidth)")
    }
    let positions = try shape(model + "pos_embed", axes: 3)[1]
    let side = Int(Double(positions - 1).squareRoot())
    guard side > 0, side * side + 1 == positions else {
      throw CheckpointError(
        .wrongShape, file: shape.source.name, key: shape.prefix + model + "pos_embed",
        "found \(positions) positions, expected one for the class token and a square of patches")
    }
    gridSide = side
    innerWidth = try shape(model + "blocks.0.mlp.fc1.weight", axes: 2)[0]
    layerCount = try shape.count(model + "blocks.")
    guard layerCount.isMultiple(of: 4) else {
      throw CheckpointError(
        .unsupported, file: shape.source.name, key: shape.prefix + model + "blocks",
        "found \(layerCount) layers, expected a multiple of four")
    }
  }
}

/// A vision transformer whose tokens are read at four depths.
///
/// - Shapes: images [N, H, W, 3] → four times tokens [N, 1 + h·w, D], the class token first, h = H / patch.
/// - Weights: `patch_embed.proj`, `cls_token`, `pos_embed`, `blocks.i.{norm1, attn.qkv, attn.proj, norm2, mlp.fc1,
///   mlp.fc2}`; `norm` and `head` are of no use here.
/// - Source: timm 0.4.12 `vision_transformer.py`; lang-seg `forward_flex`, which resizes the positions.
struct VisionTransformer: Sendable {
  let sizes: VisionTransformerSizes
  private let patches: Conv2D
  private let classToken: Tensor
  private let positions: Tensor
  private let layers: [TransformerLayer]

  init(_ weights: WeightScope, _ sizes: VisionTransformerSizes) throws {
    self.sizes = sizes
    let side = sizes.gridSide
    patches = try Conv2D(
      weights / "patch_embed" / "proj", inputs: 3, outputs: sizes.width, kernel: sizes.patch,
      stride: sizes.patch, padding: Padding(0))
    classToken = try weights.tensor("cls_token", [1, 1, sizes.width])
    positions = try weights.tensor("pos_embed", [1, side * side + 1, sizes.width])
    layers = try (0..<sizes.layerCount).map { index in
      try Self.layer(weights / "blocks" / index, sizes)
    }
  }

  private static func layer(
    _ weights: WeightScope, _ sizes: VisionTransformerSizes
  ) throws -> TransformerLayer {
    let (width, inner, epsilon) = (sizes.width, sizes.innerWidth, Float(1e-6))
    let attention = weights / "attn"
    // Queries, keys and values are stored as one map; attention takes them apart.
    let stored = try attention.tensor("qkv.weight", [3 * width, width])
    let biases = try attention.tensor("qkv.bias", [3 * width])
    let type = attention.type(of: "qkv.weight") ?? .float32
    let thirds = (0..<3).map { third in
      let rows = third * width..<(third + 1) * width
      return Linear(weight: stored.rows(rows), bias: biases.rows(rows), storedAs: type)
    }
    return TransformerLayer(
      norm1: try LayerNorm(weights / "norm1", width: width, epsilon: epsilon),
      queries: thirds[0], keys: thirds[1], values: thirds[2],
      projection: try Linear(attention / "proj", inputs: width, outputs: width),
      norm2: try LayerNorm(weights / "norm2", width: width, epsilon: epsilon),
      widening: try Linear(weights / "mlp" / "fc1", inputs: width, outputs: inner),
      narrowing: try Linear(weights / "mlp" / "fc2", inputs: inner, outputs: width),
      headCount: sizes.headCount, isCausal: false, activation: gelu)
  }

  /// The outputs of the four layers that are read.
  func callAsFunction(_ image: Tensor) -> [Tensor] {
    let grid = patches(image)  // [N, h, w, D]
    let (n, h, w, width) = grid.dimensions4("VisionTransformer")
    let side = sizes.gridSide
    let stored = positions.reshaped([1 + side * side, width])
    let places = bilinearResized(
      stored.rows(1..<1 + side * side).reshaped([1, side, side, width]), height: h, width: w)
    let positions = joinedRows([stored.rows(0..<1), places.reshaped([h * w, width])])
    let start = classToken.reshaped([1, width])
    let tokens = joinedRows(
      (0..<n).flatMap { [start, grid.rows($0..<$0 + 1).reshaped([h * w, width])] })
    var x = addingRepeated(tokens.reshaped([n, 1 + h * w, width]), positions)
    var outputs: [Tensor] = []
    for (index, layer) in layers.enumerated() {
      x = layer(x)
      if sizes.hooks.contains(index) { outputs.append(x) }
    }
    return outputs
  }
}
