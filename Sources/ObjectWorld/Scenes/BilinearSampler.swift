/// Samples one level of a picture between its pixels.
struct BilinearSampler {
  private let samples: UnsafeBufferPointer<UInt8>
  private let width: Float
  private let height: Float
  private let rowStride: Int

  /// A sampler that must not outlive `samples`, the level's.
  init(_ level: PicturePyramid.Level, _ samples: UnsafeBufferPointer<UInt8>) {
    precondition(
      samples.count == 4 * (level.width + 2) * (level.height + 2),
      "\(samples.count) samples for \(level.width) x \(level.height) pixels and a border")
    self.samples = samples
    width = Float(level.width)
    height = Float(level.height)
    rowStride = 4 * (level.width + 2)
  }

  /// The colour at a place in pixels from the upper left corner, nothing outside.
  @inline(__always)
  func cutout(u: Float, v: Float) -> SIMD4<Float> {
    guard u > -0.5, v > -0.5, u < width + 0.5, v < height + 0.5 else { return .zero }
    return mixed(u, v)
  }

  /// The colour at a place in pixels from the upper left corner, the edge's outside.
  @inline(__always)
  func place(u: Float, v: Float) -> SIMD4<Float> {
    mixed(min(max(u, 0), width), min(max(v, 0), height))
  }

  /// Between half a pixel before the first and half a pixel behind the last, which the border reaches.
  @inline(__always)
  private func mixed(_ u: Float, _ v: Float) -> SIMD4<Float> {
    let (x, y) = (u + 0.5, v + 0.5)
    let (column, row) = (min(x.rounded(.down), width), min(y.rounded(.down), height))
    let (right, below) = (x - column, y - row)
    let start = Int(row) * rowStride + 4 * Int(column)
    let top = colour(start) * (1 - right) + colour(start + 4) * right
    let bottom = colour(start + rowStride) * (1 - right) + colour(start + rowStride + 4) * right
    return (top * (1 - below) + bottom * below) * (1 / 255)
  }

  @inline(__always)
  private func colour(_ start: Int) -> SIMD4<Float> {
    SIMD4(
      Float(samples[start]), Float(samples[start + 1]), Float(samples[start + 2]),
      Float(samples[start + 3]))
  }
}
