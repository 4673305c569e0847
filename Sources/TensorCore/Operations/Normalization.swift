import CKernels

/// Group normalisation over a feature map, with an optional SiLU or ReLU behind it.
///
/// - Shapes: `x` [N, H, W, C], `scale` and `shift` [C] → [N, H, W, C].
/// - Precondition: C is a multiple of `groups`.
/// - Gradient: with x̂ the normalised value and u the gradient times `scale`, (u − mean of u − x̂ · mean of u x̂) / √(σ² + ε)
///   for x, means over the group; Σ g x̂ for `scale`; Σ g for `shift`.
public func groupNorm(
  _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float, thenSiLU: Bool = false,
  thenReLU: Bool = false
) -> Tensor {
  let c = x.dimensions4("groupNorm").c
  precondition(
    groups > 0 && c % groups == 0 && scale.shape == [c] && shift.shape == [c],
    "groupNorm: \(x.shape) in \(groups) groups, scale \(scale.shape), shift \(shift.shape)")
  precondition(!(thenSiLU && thenReLU), "groupNorm: SiLU and ReLU")
  let isTracked = x.isTracked || scale.isTracked || shift.isTracked
  if isTracked && (thenSiLU || thenReLU) {
    let y = groupNorm(x, groups: groups, scale: scale, shift: shift, epsilon: epsilon)
    return thenSiLU ? silu(y) : relu(y)
  }
  let timing = OperationTiming(.groupNorm)
  defer { timing.end() }
  let result = normalised(
    x, FeatureMoments(ChannelSums(x), groups: groups, epsilon: epsilon), scale: scale,
    shift: shift, then: thenSiLU ? .silu : thenReLU ? .relu : .none)
  guard isTracked else { return result }
  let (input, factor) = (x.untracked(), scale.untracked())
  return result.recorded("groupNorm", from: [x, scale, shift]) { gradient in
    // Made again rather than kept: they are cheaper than the gradient, and the tape stays small.
    let moments = FeatureMoments(ChannelSums(input), groups: groups, epsilon: epsilon)
    return moments.gradients(
      input, gradient, scale: factor, set: .init(samples: 1, channels: c / groups))
  }
}

/// (x − mean) · (scale · inverse) + shift in each channel of each sample.
func normalised(
  _ x: Tensor, _ moments: FeatureMoments, scale: Tensor, shift: Tensor,
  then activation: FusedActivation
) -> Tensor {
  let (n, h, w, c) = x.dimensions4("normalised")
  let kernels = KernelLevel.kernels
  let area = h * w
  let blocks = RowBlocks(groups: n, rows: area, size: FeatureMoments.blockPixels)
  let factors = moments.factors(scale)
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      moments.mean.withUnsafePointer { mean in
        factors.withUnsafePointer { factors in
          shift.withUnsafePointer { shift in
            blocks.forEach { _, sample, first, count in
              let start = (sample * area + first) * c
              ck_channel_affine(
                kernels, source + start, mean + sample * c, factors + sample * c, shift, count, c,
                activation.code, destination + start)
            }
          }
        }
      }
    }
  }
}

/// (x − mean) · scale + shift in each channel: batch normalisation by running statistics.
///
/// - Shapes: `x` [N, H, W, C], `mean`, `scale` and `shift` [C] → [N, H, W, C].
/// - Gradient: g · scale for x; Σ g (x − mean) for `scale`; Σ g for `shift`; `mean` is taken as a constant.
public func channelAffine(_ x: Tensor, mean: Tensor, scale: Tensor, shift: Tensor) -> Tensor {
  let (n, h, w, c) = x.dimensions4("channelAffine")
  precondition(
    mean.shape == [c] && scale.shape == [c] && shift.shape == [c],
    "channelAffine: \(x.shape), mean \(mean.shape), scale \(scale.shape), shift \(shift.shape)")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.groupNorm)
  defer { timing.end() }
  let result = Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, c > 0 else { return }
    x.withUnsafePointer { source in
      mean.withUnsafePointer { mean in
        scale.withUnsafePointer { scale in
          shift.withUnsafePointer { shift in
            Parallel.forRanges(n * h * w, grain: max(1, elementGrain / c)) { pixels in
              let start = pixels.lowerBound * c
              ck_channel_affine(
                kernels, source + start, mean, scale, shift, pixels.count, c, CK_IDENTITY,
                destination + start)
            }
          }
        }
      }
    }
  }
  guard x.isTracked || scale.isTracked || shift.isTracked else { return result }
  let (input, factor, centre) = (x.untracked(), scale.untracked(), mean.untracked())
  return result.recorded("channelAffine", from: [x, scale, shift]) { gradient in
    let sums = normSums(
      input, gradient, mean: joinedRows(Array(repeating: centre, count: n)).reshaped([n, c]))
    return [
      gradient * factor, columnSums(sums.products, columns: c).reshaped([c]),
      columnSums(sums.gradient, columns: c).reshaped([c]),
    ]
  }
}
