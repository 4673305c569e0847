/// An object drawn at its place: the part of the picture that it covers, colours multiplied by alpha.
struct ObjectLayer {
  /// The part of the picture.
  let box: PixelBox
  /// [box rows, box columns], red, green, blue and alpha in 0...1.
  let pixels: [SIMD4<Float>]
  /// Pixels that are at least half opaque.
  let solidCount: Int

  /// From this alpha on a pixel is the object's in masks.
  static let solidAlpha: Float = 0.5

  /// Draws a cut-out.
  init(_ picture: PicturePyramid, _ placement: Placement, side: Int) {
    let first = picture.levels[0]
    let (width, height) = (Float(first.width), Float(first.height))
    let step = max(width, height) / placement.length
    let (level, shrink) = picture.level(forStep: step)
    let (cosine, sine) = placement.turn
    let reach = (
      x: (abs(cosine) * width + abs(sine) * height) / step / 2,
      y: (abs(sine) * width + abs(cosine) * height) / step / 2
    )
    func range(_ centre: Float, _ reach: Float) -> Range<Int> {
      let lower = min(max(Int((centre - reach).rounded(.down)) - 1, 0), side)
      return lower..<max(lower, min(Int((centre + reach).rounded(.up)) + 1, side))
    }
    box = PixelBox(
      x: range(placement.centre.x, reach.x), y: range(placement.centre.y, reach.y))
    // From a pixel of the picture to one of the level.
    let scale = step * shrink
    let across = (u: cosine * scale * (placement.isMirrored ? -1 : 1), v: -sine * scale)
    let down = (u: sine * scale * (placement.isMirrored ? -1 : 1), v: cosine * scale)
    let middle = (u: width * shrink / 2, v: height * shrink / 2)
    let box = box
    var solid = 0
    let tint = placement.tint
    pixels = level.samples.withUnsafeBufferPointer { samples in
      let sampler = BilinearSampler(level, samples)
      return [SIMD4<Float>](unsafeUninitializedCapacity: box.area) { out, count in
        count = box.area
        var place = 0
        for y in box.y {
          let dy = Float(y) + 0.5 - placement.centre.y
          for x in box.x {
            let dx = Float(x) + 0.5 - placement.centre.x
            let colour = sampler.cutout(
              u: middle.u + across.u * dx + down.u * dy, v: middle.v + across.v * dx + down.v * dy)
            let alpha = colour.w
            if alpha >= Self.solidAlpha { solid += 1 }
            // A brighter colour stays within what its alpha lets through.
            let limit = SIMD4<Float>(repeating: alpha)
            (out.baseAddress.map { $0 + place })?.initialize(
              to: pointwiseMin(colour * tint, limit))
            place += 1
          }
        }
      }
    }
    solidCount = solid
  }
}
