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

  private let jpegQuality: Int
  private let maskDepth: LabelMask.Depth
  private var imageFiles: [ExportOptions.ImageFormat: [UInt8]] = [:]
  private var maskBytes: [UInt8]?
  private var instanceBytes: [UInt8]?

  init(
    record: SampleRecord, split: DatasetSplit, image: PixelImage, mask: LabelMask,
    instances: InstanceMap, plan: ExportPlan
  ) {
    self.record = record
    self.split = split
    self.image = image
    self.mask = mask
    self.instances = instances
    jpegQuality = plan.options.jpegQuality
    maskDepth = plan.maskDepth
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
      case .jpeg: try JPEGCodec.encode(image.rgb, quality: jpegQuality)
      }
    imageFiles[format] = bytes
    return bytes
  }

  /// The mask as a grey PNG whose values are categories, made once for all layouts: 8 bits with 255 for ignored pixels,
  /// 16 bits with 65535 where there are more than 254 categories.
  ///
  /// - Throws: `ImagingError` where memory ends.
  public func maskFile() throws -> [UInt8] {
    if let maskBytes { return maskBytes }
    let bytes =
      maskDepth == .sixteen
      ? try PNGCodec.encode(mask, depth: .sixteen)
      : try greyFile(mask.ids.map { $0 == LabelMask.ignored ? 255 : UInt8($0) })
    maskBytes = bytes
    return bytes
  }

  /// The numbers of the instances as a grey PNG of 8 bits, made once for all layouts; 255 for ignored pixels.
  ///
  /// - Throws: `ImagingError` where memory ends.
  public func instanceFile() throws -> [UInt8] {
    if let instanceBytes { return instanceBytes }
    let bytes = try greyFile(instances.numbers)
    instanceBytes = bytes
    return bytes
  }

  /// A grey PNG of the picture's size.
  func greyFile(_ values: [UInt8]) throws -> [UInt8] {
    try PNGCodec.encode(
      PixelImage(width: mask.width, height: mask.height, channels: .grey, samples: values))
  }
}
