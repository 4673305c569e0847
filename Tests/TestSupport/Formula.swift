public import TensorCore

/// Tensors by formula: any tensor from its name alone, so that a comparison with the published code needs no
/// checkpoint.
///
/// The code that made Fixtures/grounding/published.safetensors and Fixtures/openvocabulary was given the same tensors.
///
/// Element i, in row-major order of PyTorch's shape, comes from
/// z = mix(FNV-1a-64(name) + seed · 0x9E3779B97F4A7C15 + (i + 1) · 0xBF58476D1CE4E5B9), mix being SplitMix64's finaliser,
/// u = ⌊z / 2⁴⁰⌋ / 2²⁴, and is centre + spread · (2u − 1).
public enum Formula {
  /// What a tensor is, which decides its centre and spread.
  public enum Kind: Sendable {
    case weight, bias, norm, variance, mean, input
  }

  /// The tensor of a name.
  public static func tensor(_ name: String, _ shape: [Int], _ kind: Kind, seed: UInt64) -> Tensor {
    let inputs = shape.dropFirst().reduce(1, *)
    let (centre, spread): (Float, Float) =
      switch kind {
      case .weight: (0, Float((3 / Double(inputs)).squareRoot()))
      case .bias: (0, 0.1)
      case .norm: (1, 0.1)
      case .variance: (1, 0.2)
      case .mean: (0, 0.2)
      case .input: (0, 1)
      }
    return Tensor(shape: shape) { out in
      uniform(name, seed: seed, into: out) { centre + spread * (2 * $0 - 1) }
    }
  }

  /// The ids of n rows of 77: a start, from 2 to 12 words, an end, and zeros.
  public static func tokens(_ name: String, count: Int, seed: UInt64) -> [[Int]] {
    let length = 77
    let u = Tensor(shape: [count, length]) { uniform(name, seed: seed, into: $0) { $0 } }.values
    return (0..<count).map { row in
      let words = 2 + 5 * row % 11
      return (0..<length).map { column in
        switch column {
        case 0: 49_406
        case 1...words: 1 + Int(49_405 * Double(u[row * length + column]))
        case words + 1: 49_407
        default: 0
        }
      }
    }
  }

  /// What a key of LSeg or SED is, by its name and number of axes; nil for a tensor that has no effect on any output.
  public static func kind(_ key: String, rank: Int) -> Kind? {
    if key.hasSuffix("num_batches_tracked") || rank == 0 { return nil }
    if key.hasSuffix("running_mean") { return .mean }
    if key.hasSuffix("running_var") { return .variance }
    let inputs = [
      "cls_token", "pos_embed", "class_embedding", "positional_embedding", "token_embedding.weight",
    ]
    if inputs.contains(where: key.hasSuffix) { return .input }
    guard rank == 1 else { return .weight }
    return key.hasSuffix("bias") ? .bias : .norm
  }

  private static func uniform(
    _ name: String, seed: UInt64, into out: UnsafeMutableBufferPointer<Float>,
    _ value: (Float) -> Float
  ) {
    var counter = hash(name) &+ seed &* 0x9E37_79B9_7F4A_7C15
    for index in 0..<out.count {
      counter &+= 0xBF58_476D_1CE4_E5B9
      var z = counter
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      z ^= z >> 31
      out[index] = value(Float(z >> 40) / 16_777_216)
    }
  }

  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
