import Imaging

/// A picture whose colours are segments: red + 256 green + 65536 blue is a segment's id, 0 is void.
struct PanopticPicture {
  /// The colour of the background.
  static let backgroundColour = Colour(200, 200, 200)

  /// The ids of the instances, in their order.
  let ids: [Int]
  /// The id of the background, whether the picture shows any or not.
  let backgroundID: Int
  /// The picture.
  let image: PixelImage

  /// Draws the instances and the background; ignored pixels are void.
  ///
  /// - Parameters:
  ///   - instances: the instances.
  ///   - colours: the categories' colours, from category 1; an instance's is close to its category's.
  /// - Throws: `ImagingError` where memory ends.
  init(_ instances: InstanceMap, colours: [Colour]) throws {
    var taken: Set<Int> = [0]
    backgroundID = Self.id(near: Self.backgroundColour, &taken)
    ids = instances.instances.map { instance in
      Self.id(near: colours[instance.category - 1], &taken)
    }
    let idOfNumber = [backgroundID] + ids
    var samples = [UInt8](repeating: 0, count: instances.numbers.count * 3)
    for (place, number) in instances.numbers.enumerated() where number != InstanceMap.void {
      let id = idOfNumber[Int(number)]
      for channel in 0..<3 {
        samples[3 * place + channel] = UInt8(truncatingIfNeeded: id >> (8 * channel))
      }
    }
    image = try PixelImage(
      width: instances.width, height: instances.height, channels: .rgb, samples: samples)
  }

  /// The colour's number, or the first free one a few shades on.
  private static func id(near colour: Colour, _ taken: inout Set<Int>) -> Int {
    var id = Int(colour.red) | Int(colour.green) << 8 | Int(colour.blue) << 16
    // Odd, so that every number comes before one comes again.
    while !taken.insert(id).inserted { id = (id + 0x0d_1711) & 0xff_ffff }
    return id
  }
}
