import Generation
import Imaging

/// The picture of a scene as it grows, in sRGB, from the background on.
struct SceneCanvas {
  /// The part of a background that is shown.
  struct Crop {
    /// The side as a share of the background's shorter one.
    var zoom: Double
    /// Where in the room that is left, 0 to 1.
    var x: Double
    /// Where in the room that is left, 0 to 1.
    var y: Double
    /// Whether it is mirrored.
    var isMirrored: Bool
    /// What its colours are multiplied by.
    var gain: Float

    /// Draws a crop.
    static func draw(_ stream: inout ChoiceStream) -> Crop {
      Crop(
        zoom: stream.number(in: 0.35...0.95), x: stream.nextFraction(), y: stream.nextFraction(),
        isMirrored: stream.next(below: 2) == 1, gain: Float(stream.number(in: 0.8...1.15)))
    }
  }

  /// Width and height.
  let side: Int
  private var pixels: [SIMD4<Float>]

  /// A canvas with a part of a place on it.
  init(_ place: PicturePyramid, _ crop: Crop, side: Int) {
    self.side = side
    let first = place.levels[0]
    let length = crop.zoom * Double(min(first.width, first.height))
    let step = Float(length / Double(side))
    let (level, shrink) = place.level(forStep: step)
    let left = Float(crop.x * (Double(first.width) - length))
    let top = Float(crop.y * (Double(first.height) - length))
    let gain = SIMD4<Float>(crop.gain, crop.gain, crop.gain, 1)
    pixels = level.samples.withUnsafeBufferPointer { samples in
      let sampler = BilinearSampler(level, samples)
      return [SIMD4<Float>](unsafeUninitializedCapacity: side * side) { out, count in
        count = side * side
        for y in 0..<side {
          let v = (top + (Float(y) + 0.5) * step) * shrink
          for x in 0..<side {
            let column = crop.isMirrored ? side - 1 - x : x
            let u = (left + (Float(column) + 0.5) * step) * shrink
            (out.baseAddress.map { $0 + y * side + x })?.initialize(
              to: sampler.place(u: u, v: v) * gain)
          }
        }
      }
    }
  }

  /// Puts an object on top, after its shadows.
  mutating func add(_ layer: ObjectLayer, light: SceneLight) {
    shade(ObjectShadow.soft(layer, light: light, side: side))
    if let contact = light.contact {
      shade(ObjectShadow.contact(layer, strength: contact, side: side))
    }
    var place = 0
    for y in layer.box.y {
      for x in layer.box.x {
        let above = layer.pixels[place]
        pixels[y * side + x] = pixels[y * side + x] * (1 - above.w) + above
        place += 1
      }
    }
  }

  private mutating func shade(_ shadow: ObjectShadow) {
    var place = 0
    for y in shadow.box.y {
      for x in shadow.box.x {
        pixels[y * side + x] *= 1 - shadow.darkness[place]
        place += 1
      }
    }
  }

  /// The picture in 8 bits.
  ///
  /// - Throws: `ImagingError` where the side is out of range.
  func image() throws -> PixelImage {
    let samples = [UInt8](unsafeUninitializedCapacity: 3 * side * side) { out, count in
      count = 3 * side * side
      for (place, pixel) in pixels.enumerated() {
        let scaled = pixel.clamped(lowerBound: .zero, upperBound: .one) * 255
        let rounded = scaled.rounded(.toNearestOrEven)
        out[3 * place] = UInt8(rounded.x)
        out[3 * place + 1] = UInt8(rounded.y)
        out[3 * place + 2] = UInt8(rounded.z)
      }
    }
    return try PixelImage(width: side, height: side, channels: .rgb, samples: samples)
  }
}
