/// Which object is seen at each pixel.
struct SceneCover {
  /// The least share of the picture that an object must show.
  static let leastArea = 0.005
  /// The least share of an object that others must leave.
  static let leastShare = 0.4

  /// For each pixel the object's number from 1, 0 for none.
  let owners: [UInt8]
  /// Pixels that each object shows.
  let visible: [Int]
  /// Whether each object shows enough of itself.
  let isAcceptable: Bool

  init(_ layers: [ObjectLayer], side: Int) {
    precondition(layers.count < 256, "\(layers.count) objects in a scene")
    var owners = [UInt8](repeating: 0, count: side * side)
    for (number, layer) in layers.enumerated() {
      var place = 0
      for y in layer.box.y {
        for x in layer.box.x {
          if layer.pixels[place].w >= ObjectLayer.solidAlpha {
            owners[y * side + x] = UInt8(number + 1)
          }
          place += 1
        }
      }
    }
    var visible = [Int](repeating: 0, count: layers.count + 1)
    for owner in owners { visible[Int(owner)] += 1 }
    self.owners = owners
    self.visible = Array(visible.dropFirst())
    isAcceptable = zip(layers, self.visible).allSatisfy { layer, pixels in
      Double(pixels) >= Self.leastArea * Double(side * side)
        && Double(pixels) >= Self.leastShare * Double(layer.solidCount)
    }
  }
}
