import Foundation

/// x · sigmoid(x).
public func silu(_ x: Tensor) -> Tensor { x.mapped { $0 / (1 + exp(-$0)) } }

/// The exact GELU, x · Φ(x), by the error function.
public func gelu(_ x: Tensor) -> Tensor { x.mapped { $0 * 0.5 * (1 + erf($0 * 0.70710678)) } }

/// CLIP's approximation of GELU, x · sigmoid(1.702 x).
public func quickGELU(_ x: Tensor) -> Tensor { x.mapped { $0 / (1 + exp(-1.702 * $0)) } }

/// The gated GELU of diffusers' `GEGLU`: the first half of the last axis times the GELU of the second.
///
/// - Shapes: `x` [..., 2D] → [..., D].
public func geglu(_ x: Tensor) -> Tensor {
  let d = x.lastDimension / 2
  let xs = x.values
  return Tensor(shape: x.shape.dropLast() + [d]) { out in
    for r in 0..<x.count / (2 * d) {
      for k in 0..<d {
        let g = xs[r * 2 * d + d + k]
        out[r * d + k] = xs[r * 2 * d + k] * g * 0.5 * (1 + erf(g * 0.70710678))
      }
    }
  }
}
