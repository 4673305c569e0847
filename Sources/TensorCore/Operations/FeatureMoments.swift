import CKernels

/// Mean and inverse deviation of each channel of each sample of a feature map, over whatever set it is normalised with.
struct FeatureMoments {
  /// Blocks of fixed size, so that sums do not depend on the thread count.
  static let blockPixels = 512

  /// The means [N, C].
  let mean: Tensor
  /// One over √(variance + ε) [N, C].
  let inverse: Tensor

  init(mean: Tensor, inverse: Tensor) { (self.mean, self.inverse) = (mean, inverse) }

  /// scale · inverse [N, C].
  func factors(_ scale: Tensor) -> Tensor {
    let c = scale.count
    return inverse.withUnsafeBuffer { inverse in
      scale.withUnsafeBuffer { scale in
        Tensor(shape: self.inverse.shape) { out in
          for index in 0..<out.count { out[index] = inverse[index] * scale[index % c] }
        }
      }
    }
  }

  /// Those of each group of channels of each sample.
  init(_ sums: ChannelSums, groups: Int, epsilon: Float) {
    let (n, c) = (sums.samples, sums.channels)
    let width = c / groups
    let both = Tensor(shape: [2, n, c]) { out in
      for sample in 0..<n {
        for first in stride(from: 0, to: c, by: width) {
          let (mean, variance) = sums.moments(samples: sample..<sample + 1, first..<first + width)
          let inverse = Float(1 / (variance + Double(epsilon)).squareRoot())
          for k in first..<first + width {
            out[sample * c + k] = Float(mean)
            out[(n + sample) * c + k] = inverse
          }
        }
      }
    }
    mean = both.rows(0..<1).reshaped([n, c])
    inverse = both.rows(1..<2).reshaped([n, c])
  }
}

/// Sums of a feature map per sample and channel, relative to the sample's first pixel.
struct ChannelSums {
  private var origins: [Double] = []
  private var sums: [Double] = []
  private var squares: [Double] = []
  private let area: Double
  let channels: Int
  private(set) var samples = 0

  /// Those of no sample yet.
  init(area: Int, channels: Int) { (self.area, self.channels) = (Double(area), channels) }

  /// Appends a sample.
  ///
  /// - Parameters:
  ///   - parts: sums and sums of squares of its blocks of pixels [blocks, 2, C]; the first becomes that of all.
  ///   - blocks: how many there are.
  ///   - origin: its first pixel [C].
  mutating func append(
    _ parts: UnsafeMutablePointer<Double>, blocks: Int, origin: UnsafePointer<Float>
  ) {
    let c = channels
    for block in 1..<max(blocks, 1) {
      for i in 0..<2 * c { parts[i] += parts[block * 2 * c + i] }
    }
    for k in 0..<c { origins.append(Double(origin[k])) }
    sums.append(contentsOf: UnsafeBufferPointer(start: parts, count: c))
    squares.append(contentsOf: UnsafeBufferPointer(start: parts + c, count: c))
    samples += 1
  }

  init(_ x: Tensor) {
    let (n, h, w, c) = x.dimensions4("moments")
    let area = h * w
    let blocks = RowBlocks(groups: n, rows: area, size: FeatureMoments.blockPixels)
    let kernels = KernelLevel.kernels
    self.init(area: area, channels: c)
    x.withUnsafePointer { source in
      withPooledDoubles(blocks.count * 2 * c) { parts in
        blocks.forEach { block, sample, first, count in
          let image = source + sample * area * c
          ck_channel_moments(
            kernels, image + first * c, image, count, c, parts + block * 2 * c,
            parts + block * 2 * c + c)
        }
        for sample in 0..<n {
          append(
            parts + sample * blocks.perGroup * 2 * c, blocks: blocks.perGroup,
            origin: source + sample * area * c)
        }
      }
    }
  }

  /// Mean and variance over some samples and channels together.
  func moments(samples: Range<Int>, _ part: Range<Int>) -> (mean: Double, variance: Double) {
    let count = Double(samples.count * part.count)
    var mean = 0.0
    for sample in samples {
      for k in part {
        let index = sample * channels + k
        mean += origins[index] + sums[index] / area
      }
    }
    mean /= count
    var variance = 0.0
    for sample in samples {
      for k in part {
        let index = sample * channels + k
        let own = sums[index] / area
        let offset = origins[index] + own - mean
        variance += max(squares[index] / area - own * own, 0) + offset * offset
      }
    }
    return (mean, variance / count)
  }
}

/// Per sample and channel: Σ g and Σ g (x − mean).
func normSums(
  _ x: Tensor, _ gradient: Tensor, mean: Tensor
) -> (gradient: Tensor, products: Tensor) {
  let (n, h, w, c) = x.dimensions4("norm gradient")
  let area = h * w
  let blocks = RowBlocks(groups: n, rows: area, size: FeatureMoments.blockPixels)
  let both = Tensor(shape: [2, n, c]) { out in
    withPooledDoubles(blocks.count * 2 * c) { sums in
      x.withUnsafePointer { source in
        gradient.withUnsafePointer { gradient in
          mean.withUnsafePointer { mean in
            blocks.forEach { block, sample, first, count in
              let start = (sample * area + first) * c
              ck_norm_sums(
                source + start, mean + sample * c, gradient + start, count, c,
                sums + block * 2 * c, sums + block * 2 * c + c)
            }
          }
        }
      }
      for sample in 0..<n {
        for i in 0..<2 * c {
          var sum = 0.0
          for block in 0..<blocks.perGroup {
            sum += sums[(sample * blocks.perGroup + block) * 2 * c + i]
          }
          out[(i / c * n + sample) * c + i % c] = Float(sum)
        }
      }
    }
  }
  return (both.rows(0..<1).reshaped([n, c]), both.rows(1..<2).reshaped([n, c]))
}

extension FeatureMoments {
  /// What is normalised together: so many samples, so many channels side by side.
  struct SetSize {
    var samples: Int
    var channels: Int
  }

  /// The gradients of a normalised map for the map, the scale and the shift.
  func gradients(_ x: Tensor, _ gradient: Tensor, scale: Tensor, set: SetSize) -> [Tensor?] {
    let (n, h, w, c) = x.dimensions4("norm gradient")
    let sums = normSums(x, gradient, mean: mean)
    let (g, p, inverses, scales) = (
      sums.gradient.values, sums.products.values, inverse.values, scale.values
    )
    // p · g + q · (x − mean) + r per sample and channel.
    var coefficients = [Float](repeating: 0, count: 3 * n * c)
    let count = Double(set.samples * set.channels * h * w)
    for sample in stride(from: 0, to: n, by: set.samples) {
      for first in stride(from: 0, to: c, by: set.channels) {
        let members = (sample..<sample + set.samples).flatMap { s in
          (first..<first + set.channels).map { s * c + $0 }
        }
        let inverse = Double(inverses[members[0]])
        var (mean, product) = (0.0, 0.0)
        for index in members {
          mean += Double(g[index]) * Double(scales[index % c])
          product += Double(p[index]) * Double(scales[index % c])
        }
        for index in members {
          coefficients[index] = Float(inverse * Double(scales[index % c]))
          coefficients[n * c + index] = Float(-inverse * inverse * inverse * product / count)
          coefficients[2 * n * c + index] = Float(-inverse * mean / count)
        }
      }
    }
    var forScale = [Double](repeating: 0, count: c)
    for index in 0..<n * c { forScale[index % c] += Double(p[index]) * Double(inverses[index]) }
    return [
      applied(x, gradient, Tensor(coefficients, shape: [3 * n * c])),
      Tensor(forScale.map { Float($0) }, shape: [c]),
      columnSums(sums.gradient, columns: c).reshaped([c]),
    ]
  }

  private func applied(_ x: Tensor, _ gradient: Tensor, _ coefficients: Tensor) -> Tensor {
    let (n, h, w, c) = x.dimensions4("norm gradient")
    let area = h * w
    let blocks = RowBlocks(groups: n, rows: area, size: Self.blockPixels)
    return Tensor(shape: x.shape) { out in
      guard let destination = out.baseAddress else { return }
      x.withUnsafePointer { source in
        gradient.withUnsafePointer { gradient in
          mean.withUnsafePointer { mean in
            coefficients.withUnsafePointer { p in
              blocks.forEach { _, sample, first, count in
                let (start, own) = ((sample * area + first) * c, sample * c)
                ck_norm_gradient(
                  source + start, mean + own, gradient + start, p + own, p + n * c + own,
                  p + 2 * n * c + own, count, c, destination + start)
              }
            }
          }
        }
      }
    }
  }
}
