extension PixelImage {
  /// The picture as it is meant to be seen.
  ///
  /// - Parameter orientation: how this picture's rows lie in it.
  /// - Returns: the same pixels in their places; width and height exchanged where the orientation does so.
  public func upright(from orientation: ImageOrientation) -> PixelImage {
    guard orientation != .upright else { return self }
    let (newWidth, newHeight) = orientation.exchangesSides ? (height, width) : (width, height)
    let depth = channels.rawValue
    var out = [UInt8](repeating: 0, count: samples.count)
    var position = 0
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        let (column, row) = source(of: x, y, orientation)
        let start = (row * width + column) * depth
        for channel in 0..<depth { out[position + channel] = samples[start + channel] }
        position += depth
      }
    }
    return PixelImage(unchecked: newWidth, newHeight, channels, samples: out)
  }

  /// Where in this picture the pixel (x, y) of the upright one lies.
  private func source(
    of x: Int, _ y: Int, _ orientation: ImageOrientation
  ) -> (column: Int, row: Int) {
    let (right, bottom) = (width - 1, height - 1)
    return switch orientation {
    case .upright: (x, y)
    case .mirrored: (right - x, y)
    case .halfTurn: (right - x, bottom - y)
    case .flipped: (x, bottom - y)
    case .transposed: (y, x)
    case .clockwise: (y, bottom - x)
    case .transversed: (right - y, bottom - x)
    case .anticlockwise: (right - y, x)
    }
  }
}
