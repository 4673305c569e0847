import Foundation
import TensorCore

/// Tensors by formula: any tensor from its name alone, so that a comparison with the published code needs no
/// checkpoint. The code that made Fixtures/grounding/published.safetensors was given the same tensors.
///
/// Element i, in row-major order of PyTorch's shape, comes from
/// z = mix(FNV-1a-64(name) + seed · 0x9E3779B97F4A7C15 + (i + 1) · 0xBF58476D1CE4E5B9), mix being SplitMix64's finaliser,
/// u = ⌊z / 2⁴⁰⌋ / 2²⁴, and is centre + spread · (2u − 1).
enum Formula {
  enum Kind {
    case weight, bias, norm, variance, mean, input
  }

  static func tensor(_ name: String, _ shape: [Int], _ kind: Kind, seed: UInt64) -> Tensor {
    let base = hash(name) &+ seed &* 0x9E37_79B9_7F4A_7C15
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
      var counter = base
      for index in 0..<out.count {
        counter &+= 0xBF58_476D_1CE4_E5B9
        var z = counter
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        out[index] = centre + spread * (2 * (Float(z >> 40) / 16_777_216) - 1)
      }
    }
  }

  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
