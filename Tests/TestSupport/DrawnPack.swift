import Foundation
public import Imaging

/// A pack of plain shapes for tests of composed scenes, made without anybody's pictures.
///
/// Its categories are `disc` (red), `square` (green) and `bar` (blue), each in one colour channel alone; what is
/// transparent around a shape is white underneath, which must never be seen. Backgrounds are black.
public struct DrawnPack {
  /// The colours of the categories, by name.
  public static let colours: [(name: String, colour: Colour)] = [
    ("disc", Colour(200, 0, 0)), ("square", Colour(0, 200, 0)), ("bar", Colour(0, 0, 200)),
  ]

  /// Sides of the cut-outs in pixels.
  public var side = 40
  /// Things of each category.
  public var things = 3
  /// Backgrounds.
  public var places = 4

  /// The usual pack.
  public init() {}

  /// Writes the pack without a pack.json.
  ///
  /// - Throws: where a file cannot be written.
  public func write(to folder: String) throws {
    for (category, (name, colour)) in Self.colours.enumerated() {
      for thing in 0..<things {
        let bytes = try cutout(colour) { x, y in contains(category, x, y) }
        try Self.write(bytes, to: "\(folder)/cutouts/\(name)/\(thing)/0.png")
      }
    }
    let black = try PixelImage(width: 64, height: 48, filledWith: Colour(0, 0, 0))
    for place in 0..<places {
      try Self.write(
        try PNGCodec.encode(black), to: "\(folder)/backgrounds/in_the_dark/\(place).png")
    }
  }

  /// A PNG with alpha, soft at its edges: 0, 85, 170 or 255.
  public func cutout(_ colour: Colour, contains: (Double, Double) -> Bool) throws -> [UInt8] {
    var indices: [UInt8] = []
    for y in 0..<side {
      for x in 0..<side {
        var inside = 0
        for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.5, 0.75)] {
          let u = (Double(x) + dx) / Double(side) * 2 - 1
          let v = (Double(y) + dy) / Double(side) * 2 - 1
          if contains(u, v) { inside += 1 }
        }
        indices.append(UInt8(inside))
      }
    }
    let white = Colour(255, 255, 255)
    return try PNGCodec.encode(
      indices: indices, width: side, height: side, palette: [white, colour, colour, colour],
      alpha: [0, 85, 170, 255])
  }

  /// Writes a file with the folders above it.
  ///
  /// - Throws: where that cannot be done.
  public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    let file = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }

  private func contains(_ category: Int, _ u: Double, _ v: Double) -> Bool {
    switch category {
    case 0: u * u + v * v < 0.9
    case 1: abs(u) < 0.9 && abs(v) < 0.9
    default: abs(u) < 0.95 && abs(v) < 0.3
    }
  }
}
