/// The colours of class ids, the same in every run.
///
/// - Source: `VOClabelcolormap` of the PASCAL VOC development kit: the bits of an id are dealt to red, green and
///   blue in turn, from the highest place down.
public enum Palette {
  /// The colour of an id; ids up to 65535 all have their own.
  public static func colour(of id: UInt16) -> Colour {
    var rest = id
    var red: UInt8 = 0
    var green: UInt8 = 0
    var blue: UInt8 = 0
    for place in 0..<8 {
      red |= UInt8(rest & 1) << (7 - place)
      green |= UInt8(rest >> 1 & 1) << (7 - place)
      blue |= UInt8(rest >> 2 & 1) << (7 - place)
      rest >>= 3
    }
    return Colour(red, green, blue)
  }

  /// The 256 colours of an 8-bit mask.
  public static let voc: [Colour] = (0...255).map { colour(of: $0) }
}
