/// How much darker an object makes what is behind it.
struct ObjectShadow {
  /// The part of the picture.
  let box: PixelBox
  /// [box rows, box columns], 0 for no shadow to 1 for black.
  let darkness: [Float]

  /// The object's outline, blurred and moved away from the light.
  static func soft(_ layer: ObjectLayer, light: SceneLight, side: Int) -> ObjectShadow {
    let radius = max(1, (side * 6 + 128) / 256)
    func pixels(_ share: Double) -> Int { Int((share * Double(side)).rounded()) }
    let (dx, dy) = (pixels(light.offset.x), pixels(light.offset.y))
    let margin = 2 * radius + max(abs(dx), abs(dy))
    let box = layer.box.widened(by: margin, side: side)
    var plane = [Float](repeating: 0, count: box.area)
    var place = 0
    for y in layer.box.y {
      for x in layer.box.x {
        if box.y.contains(y + dy), box.x.contains(x + dx) {
          plane[(y + dy - box.y.lowerBound) * box.x.count + x + dx - box.x.lowerBound] =
            layer.pixels[place].w
        }
        place += 1
      }
    }
    for _ in 0..<2 { BoxBlur.blur(&plane, width: box.x.count, radius: radius) }
    for place in plane.indices { plane[place] *= light.strength }
    return ObjectShadow(box: box, darkness: plane)
  }

  /// An ellipse on the ground below what of the object reaches lowest.
  static func contact(_ layer: ObjectLayer, strength: Float, side: Int) -> ObjectShadow {
    let none = ObjectShadow(box: PixelBox(x: 0..<0, y: 0..<0), darkness: [])
    guard let foot = foot(of: layer) else { return none }
    let reach = max(Float(foot.x.count) * 0.6, 2)
    let depth = max(reach * 0.2, 1.5)
    let centre = (
      x: Float(foot.x.lowerBound + foot.x.upperBound) / 2, y: Float(foot.y.upperBound) - depth * 0.4
    )
    func range(_ middle: Float, _ reach: Float) -> Range<Int> {
      let lower = min(max(Int((middle - reach).rounded(.down)), 0), side)
      return lower..<max(lower, min(Int((middle + reach).rounded(.up)), side))
    }
    let box = PixelBox(x: range(centre.x, reach), y: range(centre.y, depth))
    var darkness: [Float] = []
    darkness.reserveCapacity(box.area)
    for y in box.y {
      let v = (Float(y) + 0.5 - centre.y) / depth
      for x in box.x {
        let u = (Float(x) + 0.5 - centre.x) / reach
        let inside = max(0, 1 - u * u - v * v)
        darkness.append(strength * inside * inside * (3 - 2 * inside))
      }
    }
    return ObjectShadow(box: box, darkness: darkness)
  }

  /// The columns and rows of the lowest eighth of what is at least half opaque; nil where nothing is.
  private static func foot(of layer: ObjectLayer) -> PixelBox? {
    func isSolid(_ x: Int, _ y: Int) -> Bool {
      let place = (y - layer.box.y.lowerBound) * layer.box.x.count + x - layer.box.x.lowerBound
      return layer.pixels[place].w >= ObjectLayer.solidAlpha
    }
    guard
      let lowest = layer.box.y.last(where: { y in layer.box.x.contains { isSolid($0, y) } }),
      let highest = layer.box.y.first(where: { y in layer.box.x.contains { isSolid($0, y) } })
    else { return nil }
    let rows = max(highest, lowest - (lowest - highest) / 8)..<lowest + 1
    let columns = layer.box.x.filter { x in rows.contains { isSolid(x, $0) } }
    guard let first = columns.first, let last = columns.last else { return nil }
    return PixelBox(x: first..<last + 1, y: rows)
  }
}
