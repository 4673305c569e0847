import DatasetFormat
import Imaging

/// Masks as pictures to lay over others: every class in its colour, what is background not to be seen.
struct MaskOverlay {
  /// The colour of pixels that are to be ignored, as in files of masks.
  static let ignoredColour = Palette.colour(of: 255)

  private let colours: [UInt16: Colour]

  /// - Parameter classes: the classes with their colours.
  init(_ classes: ClassTable) {
    colours = Dictionary(
      uniqueKeysWithValues: classes.entries.map { (UInt16($0.id), $0.colour) }
        + [(LabelMask.ignored, Self.ignoredColour)])
  }

  /// A palette PNG of the mask's size, class pixels opaque, all others transparent.
  ///
  /// - Throws: `ImagingError` where memory ends.
  func png(_ mask: LabelMask) throws -> [UInt8] {
    // Index 0 is what is transparent. Where a picture shows more than 255 classes, the last index takes all others.
    var palette = [Colour(0, 0, 0)]
    var indices: [UInt16: UInt8] = [LabelMask.background: 0]
    var (last, index) = (LabelMask.background, UInt8(0))
    let pixels = mask.ids.map { id in
      if id == last { return index }
      last = id
      if let known = indices[id] {
        index = known
      } else {
        if palette.count < 256 { palette.append(colours[id] ?? Palette.colour(of: id)) }
        index = UInt8(palette.count - 1)
        indices[id] = index
      }
      return index
    }
    return try PNGCodec.encode(
      indices: pixels, width: mask.width, height: mask.height, palette: palette, alpha: [0])
  }
}
