import Generation

/// Where and how an object stands in a scene.
struct Placement {
  /// The centre, in pixels from the upper left corner.
  var centre: (x: Float, y: Float)
  /// The longest side in pixels.
  var length: Float
  /// The turn, by its cosine and sine.
  var turn: (cosine: Float, sine: Float)
  /// Whether it is mirrored.
  var isMirrored: Bool
  /// What its colours are multiplied by; the fourth is 1, for alpha.
  var tint: SIMD4<Float>

  /// The tangent of half the largest turn, of 0.2 radians.
  private static let halfTurn = 0.100335

  /// Places `count` objects beside each other, in random order, with overlaps.
  ///
  /// - Shapes: sizes as shares of the picture's side: 0.45 to 0.92 for one object, 0.32 to 0.62 for two, less for more.
  static func draw(_ count: Int, side: Int, _ stream: inout ChoiceStream) -> [Placement] {
    let spread = count == 2 ? 0.475 : 0.66
    return stream.permutation(count).map { slot in
      let sizes: ClosedRange<Double> =
        switch count {
        case 1: 0.45...0.92
        case 2: 0.32...0.62
        default: 0.55 / Double(count).squareRoot()...0.83 / Double(count).squareRoot()
        }
      let size = stream.number(in: sizes)
      // From -1 (left, top) to 1.
      let home = count == 1 ? 0 : spread * (2 * Double(slot) / Double(count - 1) - 1)
      let x = home + stream.number(in: -0.3...0.3) * (1.3 - size)
      let y = stream.number(in: -0.35...0.5) * (1.25 - size)
      func pixels(_ place: Double, margin: Double) -> Float {
        let room = 1 - size * margin
        return Float((min(max(place, -room), room) + 1) / 2 * Double(side))
      }
      // Cosine and sine from the half angle's tangent: no function of the C library rounds here.
      let t = stream.number(in: -halfTurn...halfTurn)
      let brightness = stream.number(in: 0.82...1.12)
      let tint = SIMD4<Float>(
        Float(brightness * stream.number(in: 0.94...1.06)),
        Float(brightness * stream.number(in: 0.94...1.06)),
        Float(brightness * stream.number(in: 0.94...1.06)), 1)
      return Placement(
        centre: (pixels(x, margin: 0.7), pixels(y, margin: 0.75)),
        length: Float(size * Double(side)),
        turn: (Float((1 - t * t) / (1 + t * t)), Float(2 * t / (1 + t * t))),
        isMirrored: stream.next(below: 2) == 1, tint: tint)
    }
  }
}

extension ChoiceStream {
  /// A number from a range, all alike.
  mutating func number(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + nextFraction() * (range.upperBound - range.lowerBound)
  }
}
