import TensorCore
import TestSupport
import Testing

/// An operation with inputs by name, as the fixture of gradients and the central differences use it.
struct GradientCase: Sendable, CustomTestStringConvertible {
  var name: String
  /// Shapes of the inputs for central differences; maps are N H W C.
  var shapes: [String: [Int]]
  /// Inputs that are not differentiated.
  var constants: Set<String> = []
  /// Whether inputs keep away from 0, where the slope jumps.
  var avoidsZero = false
  var call: @Sendable (Inputs) -> Tensor

  /// Tensors by name, all of which are there.
  struct Inputs: Sendable {
    var tensors: [String: Tensor]

    subscript(name: String) -> Tensor {
      guard let tensor = tensors[name] else { preconditionFailure("no input \(name)") }
      return tensor
    }
  }

  func callAsFunction(_ inputs: [String: Tensor]) -> Tensor { call(Inputs(tensors: inputs)) }

  var testDescription: String { name }

  static func convolved(_ x: Inputs, stride: Int = 1, padding: Int, doubled: Bool = false)
    -> Tensor
  {
    convolution(
      x["mapx"], PackedWeights(convolution: x["w"]), bias: x["b"], stride: stride,
      padding: Padding(padding), upsampling: doubled)
  }

  static func attended(_ x: Inputs, heads: Int, causal: Bool = false) -> Tensor {
    attention(queries: x["q"], keys: x["k"], values: x["v"], heads: heads, causal: causal)
  }

  private static let kernel = ["mapx": [2, 4, 5, 3], "w": [4, 3, 3, 3], "b": [4]]
  private static let point = ["mapx": [2, 4, 5, 3], "w": [4, 3, 1, 1], "b": [4]]
  private static func norm(_ c: Int) -> [String: [Int]] {
    ["mapx": [2, 3, 4, c], "w": [c], "b": [c]]
  }
  private static func triple(_ t: Int, _ s: Int, _ d: Int) -> [String: [Int]] {
    ["q": [2, t, d], "k": [2, s, d], "v": [2, s, d]]
  }

  /// Every rule of TensorCore, by the name its fixture has.
  static let all: [GradientCase] = products + norms + activations + mixing + moving + losses

  static let products: [GradientCase] = [
    GradientCase(name: "linear", shapes: ["x": [5, 4], "w": [3, 4], "b": [3]]) {
      linear($0["x"], PackedWeights(linear: $0["w"]), bias: $0["b"])
    },
    GradientCase(name: "conv.same", shapes: kernel) { convolved($0, padding: 1) },
    GradientCase(name: "conv.valid", shapes: kernel) { convolved($0, padding: 0) },
    GradientCase(name: "conv.wide", shapes: kernel) { convolved($0, padding: 3) },
    GradientCase(name: "conv.strided", shapes: kernel) { convolved($0, stride: 2, padding: 1) },
    GradientCase(name: "conv.point", shapes: point) { convolved($0, padding: 0) },
    GradientCase(name: "conv.point.strided", shapes: point) {
      convolved($0, stride: 2, padding: 0)
    },
    GradientCase(name: "conv.patch", shapes: kernel) { convolved($0, stride: 3, padding: 0) },
    GradientCase(name: "conv.enlarged", shapes: kernel) {
      convolved($0, padding: 1, doubled: true)
    },
    GradientCase(name: "queries", shapes: ["q": [1, 3, 4], "x": [1, 5, 4]]) {
      linear($0["x"], PackedWeights(linear: $0["q"].reshaped(Array($0["q"].shape.dropFirst()))))
    },
    GradientCase(name: "product", shapes: ["a": [3, 4], "b": [3, 4]]) { $0["a"] * $0["b"] },
    GradientCase(name: "product.repeated", shapes: ["a": [3, 2, 4], "b": [4]]) {
      $0["a"] * $0["b"]
    },
    GradientCase(name: "sum.repeated", shapes: ["a": [3, 2, 4], "b": [2, 4]]) {
      addingRepeated($0["a"], $0["b"])
    },
  ]

  static let norms: [GradientCase] = [
    GradientCase(name: "norm.batch", shapes: norm(4)) {
      batchNorm($0["mapx"], scale: $0["w"], shift: $0["b"], epsilon: 1e-5).output
    },
    GradientCase(name: "norm.image", shapes: norm(4)) {
      groupNorm(
        $0["mapx"], groups: $0["w"].count, scale: $0["w"], shift: $0["b"], epsilon: 1e-5)
    },
    GradientCase(name: "norm.group", shapes: norm(6)) {
      groupNorm(
        $0["mapx"], groups: 2, scale: $0["w"], shift: $0["b"], epsilon: 1e-5, thenSiLU: true)
    },
    GradientCase(
      name: "norm.running", shapes: norm(4).merging(["m": [4]]) { $1 }, constants: ["m"]
    ) { channelAffine($0["mapx"], mean: $0["m"], scale: $0["w"], shift: $0["b"]) },
    GradientCase(name: "norm.layer", shapes: ["x": [5, 3, 9], "w": [9], "b": [9]]) {
      layerNorm($0["x"], scale: $0["w"], shift: $0["b"], epsilon: 1e-5)
    },
  ]

  private static func activation(
    _ name: String, _ call: @escaping @Sendable (Tensor) -> Tensor
  ) -> GradientCase {
    GradientCase(name: "act.\(name)", shapes: ["x": [5, 6]], avoidsZero: true) { call($0["x"]) }
  }

  static let activations: [GradientCase] = [
    activation("silu", silu), activation("gelu", gelu), activation("quick", quickGELU),
    activation("relu", relu), activation("leaky") { leakyReLU($0) },
    activation("sigmoid", sigmoid), activation("tanh") { TensorCore.tanh($0) },
    activation("softmax", softmax), activation("geglu", geglu),
  ]

  static let mixing: [GradientCase] = [
    GradientCase(name: "attention", shapes: triple(3, 5, 12)) { attended($0, heads: 3) },
    GradientCase(name: "attention.blocks", shapes: triple(130, 3, 4)) { attended($0, heads: 2) },
    GradientCase(name: "attention.causal", shapes: triple(5, 5, 6)) {
      attended($0, heads: 3, causal: true)
    },
    GradientCase(name: "mean", shapes: ["x": [6, 5]]) { $0["x"].mean() },
  ]

  static let moving: [GradientCase] = [
    GradientCase(name: "embedding", shapes: ["w": [5, 4]]) {
      gatheredRows($0["w"], [3, 0, 3, 4])
    },
    GradientCase(name: "bilinear.up", shapes: ["mapx": [2, 4, 5, 3]]) {
      bilinearResized($0["mapx"], height: 11, width: 7)
    },
    GradientCase(name: "bilinear.down", shapes: ["mapx": [2, 7, 6, 3]]) {
      bilinearResized($0["mapx"], height: 3, width: 4)
    },
    GradientCase(name: "bilinear.plane", shapes: ["mapx": [4, 3, 5, 1]]) {
      bilinearResized($0["mapx"], height: 12, width: 10)
    },
    GradientCase(name: "nearest", shapes: ["mapx": [2, 4, 5, 3]]) {
      nearestResized($0["mapx"], height: 7, width: 3)
    },
    GradientCase(name: "edges", shapes: ["mapx": [2, 4, 5, 3]]) {
      edgeExtended($0["mapx"], height: 6, width: 8)
    },
    GradientCase(name: "join", shapes: ["a": [3, 4], "b": [3, 2]]) {
      joinedChannels([$0["a"], $0["b"]])
    },
    GradientCase(name: "slice", shapes: ["x": [4, 6]]) {
      $0["x"].rows(1..<3).columns(2..<5) * $0["x"].rows(0..<2).columns(1..<4)
    },
  ]

  static let losses: [GradientCase] = [
    GradientCase(
      name: "loss.bce", shapes: ["x": [4, 9], "t": [4, 9], "w": [4, 9]], constants: ["t", "w"]
    ) { binaryCrossEntropy($0["x"], targets: sigmoid($0["t"]), weights: $0["w"]) },
    GradientCase(name: "loss.dice", shapes: ["x": [4, 9], "t": [4, 9]], constants: ["t"]) {
      diceLoss($0["x"], targets: sigmoid($0["t"]))
    },
    GradientCase(name: "loss.ce", shapes: ["x": [7, 5]]) {
      crossEntropy($0["x"], classes: [0, 2, 255, 4, 1, 255, 3])
    },
  ]

  /// Rules without a layer of their own in the fixture.
  static let differencesOnly: [GradientCase] = [
    GradientCase(
      name: "product with shift and residual",
      shapes: ["mapx": [2, 3, 4, 3], "w": [4, 3, 3, 3], "s": [2, 4], "r": [2, 3, 4, 4]]
    ) {
      convolution(
        $0["mapx"], PackedWeights(convolution: $0["w"]), padding: Padding(1), shift: $0["s"],
        adding: $0["r"])
    },
    GradientCase(
      name: "linear with residual", shapes: ["x": [5, 4], "w": [3, 4], "b": [3], "r": [5, 3]]
    ) { linear($0["x"], PackedWeights(linear: $0["w"]), bias: $0["b"], adding: $0["r"]) },
    GradientCase(
      name: "uneven padding", shapes: ["mapx": [2, 4, 5, 3], "w": [4, 3, 3, 3]]
    ) {
      convolution(
        $0["mapx"], PackedWeights(convolution: $0["w"]), stride: 2,
        padding: Padding(top: 0, bottom: 1, left: 0, right: 1))
    },
    GradientCase(name: "negative padding", shapes: ["mapx": [2, 4, 5, 3], "w": [4, 3, 3, 3]]) {
      convolution(
        $0["mapx"], PackedWeights(convolution: $0["w"]),
        padding: Padding(top: -1, bottom: 1, left: 1, right: -1))
    },
    GradientCase(
      name: "negative padding, enlarged", shapes: ["mapx": [2, 4, 5, 3], "w": [4, 3, 3, 3]]
    ) {
      convolution(
        $0["mapx"], PackedWeights(convolution: $0["w"]),
        padding: Padding(top: -1, bottom: -1, left: 1, right: 1), upsampling: true)
    },
    GradientCase(name: "combined", shapes: ["a": [3, 4], "b": [3, 4]]) {
      combined($0["a"], 0.7, $0["b"], -1.3) + 2 * ($0["a"] - $0["b"])
    },
    GradientCase(name: "rows", shapes: ["a": [3, 4], "b": [2, 4]]) {
      joinedRows([$0["b"], $0["a"].rows(1..<3)])
    },
    GradientCase(name: "permuted", shapes: ["mapx": [2, 3, 4, 5]]) {
      let first = $0["mapx"].channelsFirst()
      return first
        * first.reshaped([2, 3, 4, 5]).channelsLast().channelsFirst().reshaped([2, 5, 3, 4])
    },
    GradientCase(name: "sums", shapes: ["x": [6, 5]]) {
      $0["x"].summedRows() * $0["x"].sum().spread(5)
    },
    GradientCase(name: "dropout", shapes: ["x": [9, 5]]) {
      dropout($0["x"], rate: 0.4, streams: RandomStreams(seed: 3), stream: 5)
    },
    GradientCase(name: "dice with counts", shapes: ["x": [4, 9], "t": [4, 9]], constants: ["t"]) {
      diceLoss(
        $0["x"], targets: sigmoid($0["t"]), weights: Tensor([1, 0, 0.5, 2], shape: [4]))
    },
    GradientCase(name: "a tensor used often", shapes: ["x": [3, 4]]) {
      let x = $0["x"]
      return x * sigmoid(x) + x.rows(0..<3) * x
    },
  ]
}

extension Tensor {
  /// A scalar, repeated.
  fileprivate func spread(_ count: Int) -> Tensor {
    joinedChannels(Array(repeating: reshaped([1]), count: count))
  }
}
