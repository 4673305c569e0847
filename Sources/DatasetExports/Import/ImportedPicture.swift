import Imaging

/// A picture with its mask, as a data set holds it.
struct ImportedPicture {
  /// Its file.
  let name: String
  /// What it shows; empty where nothing says so.
  let prompt: String
  /// The picture.
  let image: PixelImage
  /// A class a pixel.
  let mask: LabelMask
  /// What could not be taken of it.
  let faults: [ImportFault]
}
