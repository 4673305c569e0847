public import Imaging

/// Pictures that people give a model to look at.
public enum GivenPicture {
  /// The shortest side of a picture that shows anything, in pixels: one cell of the latents.
  public static let smallestSide = 8

  /// Reads a PNG or JPEG, upright and in RGB.
  ///
  /// - Throws: `ImagingError` where it is none or exceeds a limit, ``GenerationError`` where it is too small.
  public static func read(_ path: String) throws -> PixelImage {
    let picture = try ImageFile.read(path)
    guard min(picture.width, picture.height) >= smallestSide else {
      throw GenerationError(
        .malformed, path,
        "\(picture.width) x \(picture.height) pixels show nothing; expected at least \(smallestSide) a side"
      )
    }
    return picture
  }
}
