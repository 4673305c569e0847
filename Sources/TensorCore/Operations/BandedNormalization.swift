import CKernels

/// Mean [C] and scale / √(variance + ε) [C] of the groups of one feature map that is given in bands of rows.
///
/// The bytes are those that ``groupNorm(_:groups:scale:shift:epsilon:thenSiLU:)`` computes with for the whole map,
/// however it is cut.
///
/// - Shapes: `bands` [hᵢ, W, C] from the top, `scale` [C] → [2, C].
/// - Precondition: there is a pixel, and C is a multiple of `groups`.
public func groupFactors(
  ofBands bands: [Tensor], groups: Int, scale: Tensor, epsilon: Float
) -> Tensor {
  let c = scale.count
  precondition(
    !bands.isEmpty && bands.allSatisfy { $0.rank == 3 && $0.lastDimension == c && $0.count > 0 }
      && groups > 0 && c % groups == 0,
    "groupFactors: bands \(bands.map(\.shape)) in \(groups) groups, scale \(scale.shape)")
  precondition(
    bands.allSatisfy { !$0.isTracked } && !scale.isTracked,
    "groupFactors has no rule for gradients")
  let pixels = BandPixels(bands, channels: c)
  let blockPixels = FeatureMoments.blockPixels
  let blocks = (pixels.count + blockPixels - 1) / blockPixels
  let kernels = KernelLevel.kernels
  var sums = ChannelSums(area: pixels.count, channels: c)
  withPooledDoubles(blocks * 2 * c) { parts in
    Parallel.forEach(blocks, scratch: blockPixels * c) { block, scratch in
      let first = block * blockPixels
      let count = min(blockPixels, pixels.count - first)
      ck_channel_moments(
        kernels, pixels.run(first..<first + count, scratch), pixels.origin, count, c,
        parts + block * 2 * c, parts + block * 2 * c + c)
    }
    sums.append(parts, blocks: blocks, origin: pixels.origin)
    // The bands are read by address.
    withExtendedLifetime(bands) {}
  }
  let moments = FeatureMoments(sums, groups: groups, epsilon: epsilon)
  return Tensor(moments.mean.values + moments.factors(scale).values, shape: [2, c])
}

/// Rows of a map, given in parts, by the factors of its groups: (x − mean) · scale + shift, with an optional SiLU
/// behind it.
///
/// - Shapes: `parts` [hᵢ, W, C] from the top, `factors` [2, C], `shift` [C] → [Σhᵢ, W, C].
public func groupNormalized(
  _ parts: [Tensor], factors: Tensor, shift: Tensor, thenSiLU: Bool = false
) -> Tensor {
  let c = shift.count
  precondition(
    factors.shape == [2, c]
      && parts.allSatisfy {
        $0.rank == 3 && $0.lastDimension == c && $0.shape[1] == parts[0].shape[1]
      },
    "groupNormalized: \(parts.map(\.shape)), factors \(factors.shape), shift \(shift.shape)")
  precondition(
    parts.allSatisfy { !$0.isTracked } && !factors.isTracked && !shift.isTracked,
    "groupNormalized has no rule for gradients")
  let kernels = KernelLevel.kernels
  let height = parts.reduce(0) { $0 + $1.shape[0] }
  return Tensor(shape: [height, parts.first?.shape[1] ?? 0, c]) { out in
    guard var destination = out.baseAddress else { return }
    for part in parts {
      let base = destination
      part.withUnsafePointer { source in
        factors.withUnsafePointer { factors in
          shift.withUnsafePointer { shift in
            Parallel.forRanges(part.count / c, grain: max(1, elementGrain / c)) { pixels in
              let start = pixels.lowerBound * c
              ck_channel_affine(
                kernels, source + start, factors, factors + c, shift, pixels.count, c,
                thenSiLU ? CK_SILU : CK_IDENTITY, base + start)
            }
          }
        }
      }
      destination += part.count
    }
  }
}

/// The pixels of bands in a row.
private struct BandPixels {
  /// How many there are.
  let count: Int
  /// The first one.
  let origin: UnsafePointer<Float>
  private let starts: [Int]
  private let addresses: [UnsafePointer<Float>]
  private let channels: Int

  init(_ bands: [Tensor], channels: Int) {
    var (starts, count) = ([Int](), 0)
    for band in bands {
      starts.append(count)
      count += band.count / channels
    }
    addresses = bands.map { UnsafePointer($0.storage.pointer + $0.offset) }
    (self.starts, self.count, self.channels, origin) = (starts, count, channels, addresses[0])
  }

  /// A run of pixels: where it lies, or copied to `scratch` where it goes across a seam.
  func run(_ range: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
    var band = (starts.lastIndex { $0 <= range.lowerBound }) ?? 0
    var place = range.lowerBound
    func address() -> UnsafePointer<Float> { addresses[band] + (place - starts[band]) * channels }
    func end() -> Int { band + 1 < starts.count ? starts[band + 1] : count }
    if range.upperBound <= end() { return address() }
    while place < range.upperBound {
      let next = min(range.upperBound, end())
      (scratch + (place - range.lowerBound) * channels)
        .update(from: address(), count: (next - place) * channels)
      place = next
      band += 1
    }
    return UnsafePointer(scratch)
  }
}
