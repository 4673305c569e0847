/// Group normalisation over a feature map, with an optional SiLU behind it.
///
/// - Shapes: `x` [N, H, W, C], `scale` and `shift` [C] → [N, H, W, C].
/// - Precondition: C is a multiple of `groups`.
public func groupNorm(
  _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float, thenSiLU: Bool = false
) -> Tensor {
  let (n, h, w, c) = x.dimensions4("groupNorm")
  precondition(c % groups == 0, "groupNorm: \(c) channels in \(groups) groups")
  let per = c / groups
  let (xs, gs, bs) = (x.values, scale.values, shift.values)
  let result = Tensor(shape: x.shape) { out in
    for s in 0..<n {
      for g in 0..<groups {
        var (sum, squares) = (0.0, 0.0)
        for p in 0..<h * w {
          for k in g * per..<(g + 1) * per {
            let v = Double(xs[(s * h * w + p) * c + k])
            sum += v
            squares += v * v
          }
        }
        let count = Double(h * w * per)
        let mean = sum / count
        let variance = max(squares / count - mean * mean, 0)
        let inverse = Float(1 / (variance + Double(epsilon)).squareRoot())
        for p in 0..<h * w {
          for k in g * per..<(g + 1) * per {
            let i = (s * h * w + p) * c + k
            out[i] = (xs[i] - Float(mean)) * inverse * gs[k] + bs[k]
          }
        }
      }
    }
  }
  return thenSiLU ? silu(result) : result
}

/// Layer normalisation of the last axis.
///
/// - Shapes: `x` [..., D], `scale` and `shift` [D] → [..., D].
public func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
  let d = x.lastDimension
  let (xs, gs, bs) = (x.values, scale.values, shift.values)
  return Tensor(shape: x.shape) { out in
    for r in 0..<x.count / d {
      var (sum, squares) = (0.0, 0.0)
      for k in 0..<d {
        sum += Double(xs[r * d + k])
      }
      let mean = sum / Double(d)
      for k in 0..<d {
        let v = Double(xs[r * d + k]) - mean
        squares += v * v
      }
      let inverse = Float(1 / (squares / Double(d) + Double(epsilon)).squareRoot())
      for k in 0..<d {
        out[r * d + k] = (xs[r * d + k] - Float(mean)) * inverse * gs[k] + bs[k]
      }
    }
  }
}
