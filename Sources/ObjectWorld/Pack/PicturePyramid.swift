import Imaging

/// A picture in its own size and in halves of it, ready to be sampled at any size.
///
/// Samples are red, green, blue and alpha with colours multiplied by alpha, so that mixing neighbours never brings in the
/// colour of what is transparent. Each level has a border of one pixel around it: transparent for a cut-out, the edge
/// repeated for a place.
final class PicturePyramid: Sendable {
  /// One size.
  struct Level: Sendable {
    /// Pixels in a row, without the border.
    let width: Int
    /// Rows, without the border.
    let height: Int
    /// [height + 2, width + 2, 4].
    let samples: [UInt8]
  }

  /// The longest side of a cut-out and the shortest of a place that are kept, in pixels.
  private static let keptSide = 1024
  /// From this alpha on a pixel is the thing's.
  static let solidAlpha: UInt8 = 128
  /// Below this alpha a pixel does not count when a cut-out is trimmed.
  private static let traceAlpha: UInt8 = 8

  /// The sizes, each half as long as the one before, rounded up.
  let levels: [Level]

  /// Bytes of all levels.
  var byteCount: Int { levels.reduce(0) { $0 + $1.samples.count } }

  /// A cut-out, trimmed to what it shows; nil where that is nothing.
  init?(_ image: CutoutImage) {
    let alphas = stride(from: 3, to: image.samples.count, by: 4).lazy.map { image.samples[$0] }
    guard alphas.contains(where: { $0 >= Self.solidAlpha }) else { return nil }
    var (left, right, top, bottom) = (image.width, 0, image.height, 0)
    for (place, alpha) in alphas.enumerated() where alpha > Self.traceAlpha {
      let (y, x) = place.quotientAndRemainder(dividingBy: image.width)
      (left, right) = (min(left, x), max(right, x + 1))
      (top, bottom) = (min(top, y), max(bottom, y + 1))
    }
    var plane = Plane(width: right - left, height: bottom - top)
    for y in top..<bottom {
      for x in left..<right {
        let start = 4 * (y * image.width + x)
        let alpha = Int(image.samples[start + 3])
        for channel in 0..<3 {
          plane.samples.append(UInt8((Int(image.samples[start + channel]) * alpha + 127) / 255))
        }
        plane.samples.append(UInt8(alpha))
      }
    }
    while max(plane.width, plane.height) > Self.keptSide { plane = plane.halved(isCutout: true) }
    levels = Self.levels(plane, isCutout: true)
  }

  /// A place: opaque everywhere.
  init(_ image: PixelImage) {
    let image = image.rgb
    var plane = Plane(width: image.width, height: image.height)
    for start in stride(from: 0, to: image.samples.count, by: 3) {
      plane.samples += image.samples[start..<start + 3]
      plane.samples.append(255)
    }
    while min(plane.width, plane.height) > Self.keptSide { plane = plane.halved(isCutout: false) }
    levels = Self.levels(plane, isCutout: false)
  }

  private static func levels(_ first: Plane, isCutout: Bool) -> [Level] {
    var levels = [first.bordered(isCutout: isCutout)]
    var plane = first
    while max(plane.width, plane.height) > 8 {
      plane = plane.halved(isCutout: isCutout)
      levels.append(plane.bordered(isCutout: isCutout))
    }
    return levels
  }

  /// The level to sample where a pixel of the result covers `step` pixels of the first level, and by how much coordinates
  /// shrink there.
  func level(forStep step: Float) -> (level: Level, shrink: Float) {
    var (number, shrink) = (0, Float(1))
    // Bilinear samples one and a half pixels apart still see every pixel.
    while step * shrink > 1.5, number + 1 < levels.count {
      number += 1
      shrink /= 2
    }
    return (levels[number], shrink)
  }
}

/// Samples without a border.
private struct Plane {
  let width: Int
  let height: Int
  var samples: [UInt8] = []

  init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    samples.reserveCapacity(4 * width * height)
  }

  /// Means of 2 x 2 pixels; beyond an odd edge lies nothing, or for a place the edge again.
  func halved(isCutout: Bool) -> Plane {
    var half = Plane(width: (width + 1) / 2, height: (height + 1) / 2)
    for y in 0..<half.height {
      // Where the pixels on the right and below start, and what they count.
      let down = 2 * y + 1 < height ? 4 * width : 0
      let lower = down == 0 && isCutout ? 0 : 1
      for x in 0..<half.width {
        let across = 2 * x + 1 < width ? 4 : 0
        let right = across == 0 && isCutout ? 0 : 1
        let first = 4 * (2 * y * width + 2 * x)
        for place in first..<first + 4 {
          let upper = Int(samples[place]) + right * Int(samples[place + across])
          let below = Int(samples[place + down]) + right * Int(samples[place + down + across])
          half.samples.append(UInt8((upper + lower * below + 2) / 4))
        }
      }
    }
    return half
  }

  func bordered(isCutout: Bool) -> PicturePyramid.Level {
    var out = [UInt8](repeating: 0, count: 4 * (width + 2) * (height + 2))
    for y in -1...height {
      for x in -1...width {
        if isCutout, x < 0 || y < 0 || x == width || y == height { continue }
        let from = 4 * (min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1))
        let to = 4 * ((y + 1) * (width + 2) + x + 1)
        for channel in 0..<4 { out[to + channel] = samples[from + channel] }
      }
    }
    return PicturePyramid.Level(width: width, height: height, samples: out)
  }
}
