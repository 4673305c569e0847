import Foundation
import TensorCore

/// Every operation once more, as plainly as it can be written, in double precision where sums are long.
enum Reference {
  static func silu(_ x: Float) -> Float { Float(Double(x) / (1 + exp(-Double(x)))) }
  static func gelu(_ x: Float) -> Float {
    Float(Double(x) * 0.5 * (1 + erf(Double(x) * 0.5.squareRoot())))
  }
  static func quickGELU(_ x: Float) -> Float { Float(Double(x) / (1 + exp(-1.702 * Double(x)))) }

  static func linear(
    _ x: Tensor, _ weights: Tensor, bias: Tensor? = nil, adding residual: Tensor? = nil
  ) -> Tensor {
    let (outputs, inputs) = (weights.shape[0], weights.shape[1])
    let rows = x.count / inputs
    let (xs, ws) = (x.values, weights.values)
    let bs = bias?.values
    let rs = residual?.values
    return Tensor(shape: x.shape.dropLast() + [outputs]) { out in
      for r in 0..<rows {
        for o in 0..<outputs {
          var sum = Double(bs?[o] ?? 0)
          for i in 0..<inputs { sum += Double(xs[r * inputs + i]) * Double(ws[o * inputs + i]) }
          out[r * outputs + o] = Float(sum + Double(rs?[r * outputs + o] ?? 0))
        }
      }
    }
  }

  static func convolution(
    _ x: Tensor, _ weights: Tensor, bias: Tensor? = nil, stride: Int = 1,
    padding: Padding = Padding(0), upsampling: Bool = false, shift: Tensor? = nil,
    adding residual: Tensor? = nil
  ) -> Tensor {
    let (n, h0, w0, c) = x.dimensions4("convolution")
    let u = upsampling ? 2 : 1
    let (h, w) = (h0 * u, w0 * u)
    let (outputs, kh, kw) = (weights.shape[0], weights.shape[2], weights.shape[3])
    let oh = (h + padding.top + padding.bottom - kh) / stride + 1
    let ow = (w + padding.left + padding.right - kw) / stride + 1
    let (xs, ws) = (x.values, weights.values)
    let (bs, ss, rs) = (bias?.values, shift?.values, residual?.values)
    return Tensor(shape: [n, oh, ow, outputs]) { out in
      for s in 0..<n {
        for y in 0..<oh {
          for xx in 0..<ow {
            for o in 0..<outputs {
              var sum = Double(bs?[o] ?? 0) + Double(ss?[s * outputs + o] ?? 0)
              for ky in 0..<kh {
                let iy = y * stride + ky - padding.top
                if iy < 0 || iy >= h { continue }
                for kx in 0..<kw {
                  let ix = xx * stride + kx - padding.left
                  if ix < 0 || ix >= w { continue }
                  let base = ((s * h0 + iy / u) * w0 + ix / u) * c
                  for i in 0..<c {
                    sum += Double(xs[base + i]) * Double(ws[((o * c + i) * kh + ky) * kw + kx])
                  }
                }
              }
              let index = ((s * oh + y) * ow + xx) * outputs + o
              out[index] = Float(sum + Double(rs?[index] ?? 0))
            }
          }
        }
      }
    }
  }
  static func attention(
    queries: Tensor, keys: Tensor, values: Tensor, heads: Int, causal: Bool = false
  ) -> Tensor {
    let probabilities = attentionProbabilities(
      queries: queries, keys: keys, heads: heads, causal: causal
    ).values
    let (n, t, d) = queries.dimensions3("attention")
    let s = keys.shape[1]
    let width = d / heads
    let v = values.values
    return Tensor(shape: [n, t, d]) { out in
      for b in 0..<n {
        for i in 0..<t {
          for head in 0..<heads {
            for k in 0..<width {
              var sum = 0.0
              for j in 0..<s {
                sum +=
                  Double(probabilities[((b * heads + head) * t + i) * s + j])
                  * Double(v[(b * s + j) * d + head * width + k])
              }
              out[(b * t + i) * d + head * width + k] = Float(sum)
            }
          }
        }
      }
    }
  }

  static func attentionProbabilities(
    queries: Tensor, keys: Tensor, heads: Int, causal: Bool = false
  ) -> Tensor {
    let (n, t, d) = queries.dimensions3("attention")
    let s = keys.shape[1]
    let width = d / heads
    let scale = 1 / Float(width).squareRoot()
    let (q, k) = (queries.values, keys.values)
    return Tensor(shape: [n, heads, t, s]) { out in
      for b in 0..<n {
        for head in 0..<heads {
          for i in 0..<t {
            let row = ((b * heads + head) * t + i) * s
            var top = -Float.infinity
            for j in 0..<s {
              var sum: Float = 0
              for x in 0..<width {
                sum += q[(b * t + i) * d + head * width + x] * k[(b * s + j) * d + head * width + x]
              }
              out[row + j] = causal && j > i ? -Float.infinity : sum * scale
              top = max(top, out[row + j])
            }
            var total: Float = 0
            for j in 0..<s {
              out[row + j] = exp(out[row + j] - top)
              total += out[row + j]
            }
            for j in 0..<s { out[row + j] /= total }
          }
        }
      }
    }
  }

  static func averageAttention(queries: Tensor, keys: Tensor, heads: Int) -> Tensor {
    let (n, t, s) = (queries.shape[0], queries.shape[1], keys.shape[1])
    let all = attentionProbabilities(queries: queries, keys: keys, heads: heads).values
    return Tensor(shape: [n, t, s]) { out in
      for b in 0..<n {
        for i in 0..<t * s {
          let sum = (0..<heads).reduce(0.0) { $0 + Double(all[(b * heads + $1) * t * s + i]) }
          out[b * t * s + i] = Float(sum / Double(heads))
        }
      }
    }
  }
  static func groupNorm(
    _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float, thenSiLU: Bool = false
  ) -> Tensor {
    let (n, h, w, c) = x.dimensions4("groupNorm")
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
    return thenSiLU ? result.mapped(silu) : result
  }

  static func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
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

  static func bilinearResized(
    _ x: Tensor, height: Int, width: Int, alignsCorners: Bool = false
  ) -> Tensor {
    let (n, h, w, c) = x.dimensions4("bilinearResized")
    let xs = x.values
    func place(_ index: Int, _ count: Int, _ size: Int) -> (Int, Int, Double) {
      let place =
        alignsCorners
        ? Double(index * (size - 1)) / Double(max(count - 1, 1))
        : max((Double(index) + 0.5) * Double(size) / Double(count) - 0.5, 0)
      let low = min(Int(place), size - 1)
      return (low, min(low + 1, size - 1), place - Double(low))
    }
    return Tensor(shape: [n, height, width, c]) { out in
      for s in 0..<n {
        for y in 0..<height {
          let (top, bottom, down) = place(y, height, h)
          for xx in 0..<width {
            let (left, right, across) = place(xx, width, w)
            for k in 0..<c {
              func value(_ y: Int, _ x: Int) -> Double { Double(xs[((s * h + y) * w + x) * c + k]) }
              let above = value(top, left) * (1 - across) + value(top, right) * across
              let below = value(bottom, left) * (1 - across) + value(bottom, right) * across
              out[((s * height + y) * width + xx) * c + k] = Float(
                above * (1 - down) + below * down)
            }
          }
        }
      }
    }
  }

  static func channelAffine(_ x: Tensor, mean: Tensor, scale: Tensor, shift: Tensor) -> Tensor {
    let c = x.lastDimension
    let (xs, ms, gs, bs) = (x.values, mean.values, scale.values, shift.values)
    return Tensor(shape: x.shape) { out in
      for i in 0..<xs.count {
        let k = i % c
        out[i] = Float((Double(xs[i]) - Double(ms[k])) * Double(gs[k]) + Double(bs[k]))
      }
    }
  }
}

/// Lengths that fall before, on and behind the edges of vectors, tiles and panels.
let tailSizes = [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65]
