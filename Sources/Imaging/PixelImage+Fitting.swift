#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How a picture of other proportions fills a size.
public enum ImageFit: String, Sendable, CaseIterable {
  /// The middle of it does; what is beyond on two sides is cut off.
  case crop
  /// All of it does, out of proportion.
  case stretch
}

extension PixelImage {
  /// The picture in a given size, by Lanczos' filter of three lobes, which is widened where the picture shrinks, so
  /// that fine patterns do not turn into coarse ones.
  ///
  /// - Source: Pillow `Image.resize` with `LANCZOS`, weights in whole numbers as there; `ImageOps.fit` for the crop,
  ///   in whole pixels.
  ///
  /// - Parameters:
  ///   - width: new pixels in a row.
  ///   - height: new rows.
  ///   - fit: what happens where the proportions differ.
  /// - Returns: a picture with the same channels.
  /// - Throws: ``ImagingError`` where the new size is out of range.
  public func fitted(width: Int, height: Int, fit: ImageFit) throws -> PixelImage {
    _ = try Self.checkedPixelCount(width: width, height: height)
    var part = self
    if fit == .crop {
      let (wide, high) = (self.width * height, self.height * width)
      if wide > high {
        let kept = max(1, Self.rounded(self.height * width, height))
        part = cropped(x: (self.width - kept) / 2, y: 0, width: kept, height: self.height)
      } else if high > wide {
        let kept = max(1, Self.rounded(self.width * height, width))
        part = cropped(x: 0, y: (self.height - kept) / 2, width: self.width, height: kept)
      }
    }
    return part.resampled(width: width, height: height, by: .lanczos)
  }

  /// The picture in a given size, out of proportion if need be, by straight lines between pixels; where it shrinks, they are
  /// widened to reach over all that a new pixel covers.
  ///
  /// - Source: Pillow `Image.resize` with `BILINEAR`, weights in whole numbers as there: the same bytes.
  ///
  /// - Parameters:
  ///   - width: new pixels in a row.
  ///   - height: new rows.
  /// - Returns: a picture with the same channels.
  /// - Throws: ``ImagingError`` where the new size is out of range.
  public func smoothlyResized(width: Int, height: Int) throws -> PixelImage {
    _ = try Self.checkedPixelCount(width: width, height: height)
    return resampled(width: width, height: height, by: .triangle)
  }

  private static func rounded(_ dividend: Int, _ divisor: Int) -> Int {
    (2 * dividend + divisor) / (2 * divisor)
  }

  private func cropped(x: Int, y: Int, width: Int, height: Int) -> PixelImage {
    let depth = channels.rawValue
    var out: [UInt8] = []
    out.reserveCapacity(width * height * depth)
    for row in y..<y + height {
      let start = (row * self.width + x) * depth
      out += samples[start..<start + width * depth]
    }
    return PixelImage(unchecked: width, height, channels, samples: out)
  }

  private func resampled(
    width: Int, height: Int, by filter: ResamplingFilter
  ) -> PixelImage {
    let depth = channels.rawValue
    var current = self
    if width != self.width {
      let taps = ResamplingTaps.all(from: self.width, to: width, by: filter)
      var out = [UInt8](repeating: 0, count: width * self.height * depth)
      for row in 0..<self.height {
        for x in 0..<width {
          for channel in 0..<depth {
            let start = (row * self.width + taps[x].first) * depth + channel
            out[(row * width + x) * depth + channel] = taps[x].mixed(
              samples, start: start, stride: depth)
          }
        }
      }
      current = PixelImage(unchecked: width, self.height, channels, samples: out)
    }
    guard height != self.height else { return current }
    let taps = ResamplingTaps.all(from: self.height, to: height, by: filter)
    let row = width * depth
    var out = [UInt8](repeating: 0, count: row * height)
    for y in 0..<height {
      for column in 0..<row {
        out[y * row + column] = taps[y].mixed(
          current.samples, start: taps[y].first * row + column, stride: row)
      }
    }
    return PixelImage(unchecked: width, height, channels, samples: out)
  }
}

/// How far around a new pixel's centre samples count, and how much.
private enum ResamplingFilter {
  /// Lanczos' with three lobes.
  case lanczos
  /// Less and less along a straight line.
  case triangle

  var reach: Double {
    switch self {
    case .lanczos: 3
    case .triangle: 1
    }
  }

  func callAsFunction(_ x: Double) -> Double {
    guard abs(x) < reach else { return 0 }
    switch self {
    case .lanczos: return Self.sinc(x) * Self.sinc(x / reach)
    case .triangle: return 1 - abs(x)
    }
  }

  private static func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
}

/// The old samples that a new one is made of, along one axis.
private struct ResamplingTaps {
  /// Binary places of a weight; sums of 255 times them keep within 32 bits.
  private static let places = 22

  var first: Int
  var weights: [Int]

  static func all(
    from old: Int, to new: Int, by filter: ResamplingFilter
  ) -> [ResamplingTaps] {
    let scale = Double(old) / Double(new)
    let stretch = max(scale, 1)
    let reach = filter.reach * stretch
    return (0..<new).map { position in
      let centre = (Double(position) + 0.5) * scale
      let first = max(0, Int(centre - reach + 0.5))
      let end = min(old, Int(centre + reach + 0.5))
      var weights = (first..<end).map { filter((Double($0) - centre + 0.5) / stretch) }
      let sum = weights.reduce(0, +)
      if sum != 0 { weights = weights.map { $0 / sum } }
      return ResamplingTaps(
        first: first,
        weights: weights.map { Int(($0 * Double(1 << places)).rounded(.toNearestOrAwayFromZero)) })
    }
  }

  func mixed(_ samples: [UInt8], start: Int, stride: Int) -> UInt8 {
    var sum = 1 << (Self.places - 1)
    var index = start
    for weight in weights {
      sum += Int(samples[index]) * weight
      index += stride
    }
    return UInt8(min(max(sum >> Self.places, 0), 255))
  }
}
