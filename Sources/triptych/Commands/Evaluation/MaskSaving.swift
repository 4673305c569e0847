import DatasetFormat
import Generation
import Imaging

/// Keeps predicted masks as files that `triptych evaluate masks` reads.
struct MaskSaving {
  private let folder: String
  private let depth: LabelMask.Depth

  /// Makes the folder where it is not there, before hours of work end there.
  ///
  /// - Throws: `GenerationError` where files cannot be made in it.
  init(_ folder: String, classes: ClassTable) throws {
    try WholeFile.makeFolder(folder)
    self.folder = folder
    depth = classes.maskDepth
  }

  /// Writes a mask whole.
  ///
  /// - Throws: `GenerationError` where it cannot be written.
  func keep(_ name: String, _ mask: LabelMask) throws {
    try WholeFile.write(PNGCodec.encode(mask, depth: depth), to: "\(folder)/\(name).png")
  }
}
