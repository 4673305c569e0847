import CKernels

/// Group normalisation over a feature map, with an optional SiLU behind it.
///
/// - Shapes: `x` [N, H, W, C], `scale` and `shift` [C] → [N, H, W, C].
/// - Precondition: C is a multiple of `groups`.
public func groupNorm(
  _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float, thenSiLU: Bool = false
) -> Tensor {
  let (n, h, w, c) = x.dimensions4("groupNorm")
  precondition(
    groups > 0 && c % groups == 0 && scale.shape == [c] && shift.shape == [c],
    "groupNorm: \(x.shape) in \(groups) groups, scale \(scale.shape), shift \(shift.shape)")
  let kernels = KernelLevel.kernels
  let area = h * w
  let blockPixels = groupNormBlock
  let blocks = (area + blockPixels - 1) / blockPixels
  let timing = OperationTiming(.groupNorm)
  defer { timing.end() }
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      withPooledDoubles(n * blocks * 2 * c) { sums in
        withPooledFloats(n * 2 * c) { factors in
          Parallel.forEach(n * blocks) { piece, _ in
            let (sample, first) = (piece / blocks, piece % blocks * blockPixels)
            let image = source + sample * area * c
            ck_channel_moments(
              kernels, image + first * c, image, min(blockPixels, area - first), c,
              sums + piece * 2 * c, sums + piece * 2 * c + c)
          }
          for sample in 0..<n {
            groupFactors(
              GroupMoments(
                sums: sums + sample * blocks * 2 * c, blocks: blocks,
                origin: source + sample * area * c, area: area, channels: c, groups: groups,
                epsilon: epsilon),
              scale: scale, into: factors + sample * 2 * c)
          }
          shift.withUnsafePointer { shift in
            Parallel.forEach(n * blocks) { piece, _ in
              let (sample, first) = (piece / blocks, piece % blocks * blockPixels)
              let start = (sample * area + first) * c
              ck_channel_affine(
                kernels, source + start, factors + sample * 2 * c, factors + sample * 2 * c + c,
                shift,
                min(blockPixels, area - first), c, thenSiLU ? 1 : 0, destination + start)
            }
          }
        }
      }
    }
  }
}

/// Pixels that moments are summed over at a time: of fixed size, so that sums do not depend on the thread count.
let groupNormBlock = 512

/// What is known of one sample before its groups are normalised.
struct GroupMoments {
  /// Per block: sums [C], then sums of squares [C], relative to `origin`.
  var sums: UnsafeMutablePointer<Double>
  var blocks: Int
  var origin: UnsafePointer<Float>
  var area: Int
  var channels: Int
  var groups: Int
  var epsilon: Float
}

/// Mean [C] and scale / √(variance + ε) [C] of one sample.
func groupFactors(
  _ moments: GroupMoments, scale: Tensor, into factors: UnsafeMutablePointer<Float>
) {
  let (c, area) = (moments.channels, Double(moments.area))
  let width = c / moments.groups
  let sums = moments.sums
  for block in 1..<max(moments.blocks, 1) {
    for i in 0..<2 * c { sums[i] += sums[block * 2 * c + i] }
  }
  scale.withUnsafePointer { scale in
    for first in stride(from: 0, to: c, by: width) {
      var mean = 0.0
      for k in first..<first + width { mean += Double(moments.origin[k]) + sums[k] / area }
      mean /= Double(width)
      var variance = 0.0
      for k in first..<first + width {
        let offset = Double(moments.origin[k]) + sums[k] / area - mean
        variance +=
          max(sums[c + k] / area - (sums[k] / area) * (sums[k] / area), 0) + offset * offset
      }
      let inverse = 1 / (variance / Double(width) + Double(moments.epsilon)).squareRoot()
      for k in first..<first + width {
        factors[k] = Float(mean)
        factors[c + k] = Float(inverse) * scale[k]
      }
    }
  }
}

/// (x − mean) · scale + shift in each channel: batch normalisation by running statistics.
///
/// - Shapes: `x` [N, H, W, C], `mean`, `scale` and `shift` [C] → [N, H, W, C].
public func channelAffine(_ x: Tensor, mean: Tensor, scale: Tensor, shift: Tensor) -> Tensor {
  let (n, h, w, c) = x.dimensions4("channelAffine")
  precondition(
    mean.shape == [c] && scale.shape == [c] && shift.shape == [c],
    "channelAffine: \(x.shape), mean \(mean.shape), scale \(scale.shape), shift \(shift.shape)")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.groupNorm)
  defer { timing.end() }
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, c > 0 else { return }
    x.withUnsafePointer { source in
      mean.withUnsafePointer { mean in
        scale.withUnsafePointer { scale in
          shift.withUnsafePointer { shift in
            Parallel.forRanges(n * h * w, grain: max(1, elementGrain / c)) { pixels in
              let start = pixels.lowerBound * c
              ck_channel_affine(
                kernels, source + start, mean, scale, shift, pixels.count, c, 0,
                destination + start)
            }
          }
        }
      }
    }
  }
}

/// Layer normalisation of the last axis.
///
/// - Shapes: `x` [..., D], `scale` and `shift` [D] → [..., D].
public func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
  let d = x.lastDimension
  precondition(
    scale.shape == [d] && shift.shape == [d],
    "layerNorm: \(x.shape), scale \(scale.shape), shift \(shift.shape)")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.layerNorm)
  defer { timing.end() }
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    x.withUnsafePointer { source in
      scale.withUnsafePointer { scale in
        shift.withUnsafePointer { shift in
          Parallel.forRanges(x.count / d, grain: max(1, 32_768 / d)) { rows in
            ck_layer_norm(
              kernels, source + rows.lowerBound * d, scale, shift, epsilon, rows.count, d,
              destination + rows.lowerBound * d)
          }
        }
      }
    }
  }
}
