/// How a picture is brought to another size.
public enum ResizeMethod: Sendable, CaseIterable {
  /// The pixel whose cell holds the new pixel's centre.
  case nearest
  /// The four pixels around the new pixel's centre, weighted by nearness; edges are repeated.
  case bilinear
  /// The mean over the area that the new pixel covers; for making pictures smaller.
  case area
}

// All weights are whole numbers over a common divisor, so results are the same on every machine.

extension PixelImage {
  /// The picture in another size.
  ///
  /// - Parameters:
  ///   - width: new pixels in a row.
  ///   - height: new rows.
  ///   - method: how samples are mixed.
  /// - Returns: a picture with the same channels; samples are rounded half up.
  /// - Throws: ``ImagingError`` where the new size is out of range.
  public func resized(width: Int, height: Int, method: ResizeMethod) throws -> PixelImage {
    _ = try Self.checkedPixelCount(width: width, height: height)
    if width == self.width && height == self.height { return self }
    let columns = ResizeAxis(from: self.width, to: width, method)
    let rows = ResizeAxis(from: self.height, to: height, method)
    let depth = channels.rawValue
    let divisor = columns.divisor * rows.divisor
    var out: [UInt8] = []
    out.reserveCapacity(width * height * depth)
    var mixed = [Int](repeating: 0, count: self.width * depth)
    for y in 0..<height {
      mix(rows.taps(of: y), into: &mixed)
      for x in 0..<width {
        let taps = columns.taps(of: x)
        for channel in 0..<depth {
          var sum = divisor / 2
          for tap in taps { sum += mixed[tap.index * depth + channel] * tap.weight }
          out.append(UInt8(sum / divisor))
        }
      }
    }
    return try PixelImage(width: width, height: height, channels: channels, samples: out)
  }

  /// Sums rows by weight.
  private func mix(_ taps: [ResizeAxis.Tap], into mixed: inout [Int]) {
    for index in mixed.indices { mixed[index] = 0 }
    for tap in taps {
      let start = tap.index * mixed.count
      for index in mixed.indices { mixed[index] += Int(samples[start + index]) * tap.weight }
    }
  }
}

extension LabelMask {
  /// The mask in another size; ids are never mixed.
  ///
  /// - Parameters:
  ///   - width: new pixels in a row.
  ///   - height: new rows.
  /// - Returns: each new pixel has the id of the old pixel whose cell holds its centre.
  /// - Throws: ``ImagingError`` where the new size is out of range.
  public func resized(width: Int, height: Int) throws -> LabelMask {
    let count = try PixelImage.checkedPixelCount(width: width, height: height)
    let columns = ResizeAxis(from: self.width, to: width, .nearest)
    let rows = ResizeAxis(from: self.height, to: height, .nearest)
    var out: [UInt16] = []
    out.reserveCapacity(count)
    for y in 0..<height {
      let start = rows.nearest(to: y) * self.width
      for x in 0..<width { out.append(ids[start + columns.nearest(to: x)]) }
    }
    return try LabelMask(width: width, height: height, ids: out)
  }
}

/// Where the new pixels of one axis take their samples from.
private struct ResizeAxis {
  struct Tap {
    var index: Int
    var weight: Int
  }

  let old: Int
  let new: Int
  let method: ResizeMethod

  init(from old: Int, to new: Int, _ method: ResizeMethod) {
    self.old = old
    self.new = new
    self.method = method
  }

  /// What the weights of a pixel's taps add up to.
  var divisor: Int {
    switch method {
    case .nearest: 1
    case .bilinear: 2 * new
    case .area: old
    }
  }

  func nearest(to position: Int) -> Int { (2 * position + 1) * old / (2 * new) }

  func taps(of position: Int) -> [Tap] {
    switch method {
    case .nearest: return [Tap(index: nearest(to: position), weight: 1)]
    case .bilinear:
      let centre = max(0, (2 * position + 1) * old - new)
      let index = min(centre / (2 * new), old - 1)
      let share = centre % (2 * new)
      let next = min(index + 1, old - 1)
      return [Tap(index: index, weight: 2 * new - share), Tap(index: next, weight: share)]
    case .area:
      let start = position * old
      let end = start + old
      return (start / new...(end - 1) / new).map { index in
        Tap(index: index, weight: min(end, (index + 1) * new) - max(start, index * new))
      }
    }
  }
}
