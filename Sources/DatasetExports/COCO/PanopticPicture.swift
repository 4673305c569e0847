import Imaging

/// A picture whose colours are segments: red + 256 green + 65536 blue is a segment's id, 0 is void.
struct PanopticPicture {
  /// The ids of the instances, in their order.
  let ids: [Int]
  /// The picture.
  let image: PixelImage

  /// Draws the instances; background and ignored pixels are void.
  ///
  /// - Parameters:
  ///   - instances: the instances.
  ///   - colours: the categories' colours, from category 1; an instance's is close to its category's.
  /// - Throws: `ImagingError` where memory ends.
  init(_ instances: InstanceMap, colours: [Colour]) throws {
    var taken: Set<Int> = [0]
    ids = instances.instances.map { instance in
      Self.id(near: colours[instance.category - 1], &taken)
    }
    var samples = [UInt8](repeating: 0, count: instances.numbers.count * 3)
    for (place, number) in instances.numbers.enumerated()
    where number != 0 && number != InstanceMap.void {
      let id = ids[Int(number) - 1]
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
