public import DatasetFormat
public import Imaging

/// A sample with its pixels, as every layout gets it.
public final class ExportSample {
  /// The record.
  public let record: SampleRecord
  /// The split.
  public let split: DatasetSplit
  /// The picture.
  public let image: PixelImage
  /// A category a pixel; 0 and ignored pixels stay.
  public let mask: LabelMask
  /// The instances.
  public let instances: InstanceMap

  private var imageFiles: [ExportOptions.ImageFormat: [UInt8]] = [:]

  init(
    record: SampleRecord, split: DatasetSplit, image: PixelImage, mask: LabelMask,
    instances: InstanceMap
  ) {
    self.record = record
    self.split = split
    self.image = image
    self.mask = mask
    self.instances = instances
  }

  /// The name that all files of the sample have, without an end: its number in the run, nine digits.
  public var name: String { Self.name(of: record.index) }

  /// The name of a sample's files, without an end.
  public static func name(of index: Int) -> String {
    let digits = String(index)
    return String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }

  /// The number that names the sample in lists of images, from 1.
  public static func imageID(of index: Int) -> Int { index + 1 }

  /// The picture's file, without texts; made once for all layouts.
  ///
  /// - Throws: `ImagingError` where memory ends.
  public func imageFile(_ format: ExportOptions.ImageFormat) throws -> [UInt8] {
    if let made = imageFiles[format] { return made }
    let bytes =
      switch format {
      case .png: try PNGCodec.encode(image.rgb)
      case .jpeg: try JPEGCodec.encode(image.rgb, quality: ExportOptions.jpegQuality)
      }
    imageFiles[format] = bytes
    return bytes
  }
}
