#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Colours of numbers from 0 to 1, from nearly black through red to pale yellow.
///
/// Lightness rises evenly from one end to the other, so that what is more looks more, in grey print and to the
/// colour-blind too.
///
/// - Source: lightness and hue of Ottosson, "A perceptual color space for image processing" (2020), Oklab.
public enum HeatMap {
  /// The colours of 256 even steps.
  public static let colours: [Colour] = (0...255).map { colour(at: Double($0) / 255) }

  /// The colour of a number; below 0 and NaN are as 0, above 1 as 1.
  public static func colour(of value: Float) -> Colour {
    colours[value > 0 ? Int((min(value, 1) * 255).rounded()) : 0]
  }

  /// A map in colours.
  ///
  /// - Parameters:
  ///   - values: `width * height` numbers, row after row.
  ///   - width: of the map.
  ///   - height: of the map.
  /// - Returns: an RGB picture of the same size.
  /// - Throws: ``ImagingError`` where sizes do not fit.
  public static func draw(_ values: [Float], width: Int, height: Int) throws -> PixelImage {
    let samples = values.flatMap { value in
      let colour = colour(of: value)
      return [colour.red, colour.green, colour.blue]
    }
    return try PixelImage(width: width, height: height, channels: .rgb, samples: samples)
  }

  /// Where the way through the colours turns, in sRGB.
  private static let turns = [
    Colour(6, 5, 26), Colour(78, 18, 110), Colour(176, 42, 92), Colour(240, 120, 36),
    Colour(252, 246, 176),
  ].map(Oklab.init)

  private static func colour(at share: Double) -> Colour {
    let (first, last) = (turns[0].lightness, turns[turns.count - 1].lightness)
    let lightness = first + share * (last - first)
    let next = turns.indices.dropFirst().first { turns[$0].lightness >= lightness }
    let index = next ?? turns.count - 1
    let (from, to) = (turns[index - 1], turns[index])
    let place = (lightness - from.lightness) / (to.lightness - from.lightness)
    return Oklab(
      lightness: lightness, a: from.a + place * (to.a - from.a), b: from.b + place * (to.b - from.b)
    ).colour
  }
}

/// A colour by lightness and two opponents.
private struct Oklab {
  var lightness: Double
  var a: Double
  var b: Double

  init(lightness: Double, a: Double, b: Double) {
    (self.lightness, self.a, self.b) = (lightness, a, b)
  }

  init(_ colour: Colour) {
    let (red, green, blue) = (
      Self.light(colour.red), Self.light(colour.green), Self.light(colour.blue)
    )
    let long = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    let middle = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    let short = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
  }

  var colour: Colour {
    func cube(_ x: Double) -> Double { x * x * x }
    let long = cube(lightness + 0.3963377774 * a + 0.2158037573 * b)
    let middle = cube(lightness - 0.1055613458 * a - 0.0638541728 * b)
    let short = cube(lightness - 0.0894841775 * a - 1.2914855480 * b)
    return Colour(
      Self.sample(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
      Self.sample(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
      Self.sample(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short))
  }

  private static func light(_ sample: UInt8) -> Double {
    let value = Double(sample) / 255
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
  }

  private static func sample(_ light: Double) -> UInt8 {
    let light = min(max(light, 0), 1)
    let value = light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055
    return UInt8((value * 255).rounded())
  }
}
