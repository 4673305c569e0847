extension LabelMask {
  /// How much of a colour covers a picture inside a mask.
  private static let opacity = 0.5

  /// The mask in its palette's colours with all ids but one in black.
  public func coloured(only id: UInt16) -> PixelImage {
    var image = coloured
    for y in 0..<height {
      for x in 0..<width where self[x, y] != id { image[x, y] = Colour(0, 0, 0) }
    }
    return image
  }

  /// A picture with the mask over it: outlines in full colour, what is inside half covered.
  ///
  /// - Parameters:
  ///   - image: an RGB picture of the mask's size.
  ///   - id: the id to show; all but the background where nil.
  ///   - colour: the colours of ids.
  /// - Returns: the picture.
  public func overlaid(
    on image: PixelImage, only id: UInt16? = nil,
    colour: (UInt16) -> Colour = Palette.colour(of:)
  ) -> PixelImage {
    precondition(
      image.width == width && image.height == height,
      "a mask of \(width) x \(height) over a picture of \(image.width) x \(image.height)")
    var out = image.rgb
    for y in 0..<height {
      for x in 0..<width {
        let own = self[x, y]
        guard own != Self.background, id == nil || own == id else { continue }
        let colour = colour(own == Self.ignored ? 255 : own)
        out[x, y] = isEdge(x, y) ? colour : Self.mixed(out[x, y], colour)
      }
    }
    return out
  }

  private func isEdge(_ x: Int, _ y: Int) -> Bool {
    let own = self[x, y]
    return (x > 0 && self[x - 1, y] != own) || (x + 1 < width && self[x + 1, y] != own)
      || (y > 0 && self[x, y - 1] != own) || (y + 1 < height && self[x, y + 1] != own)
  }

  private static func mixed(_ below: Colour, _ above: Colour) -> Colour {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Double(a) * (1 - opacity) + Double(b) * opacity).rounded())
    }
    return Colour(
      mix(below.red, above.red), mix(below.green, above.green), mix(below.blue, above.blue))
  }
}
