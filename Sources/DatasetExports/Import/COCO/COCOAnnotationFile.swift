import CanonicalJSON
import Imaging

/// The pictures, categories and regions of a COCO file of instances, as anybody may have written it.
///
/// The file is held as bytes, and pixels are read from them region by region, so memory is the file's size and some
/// 80 bytes an annotation. JSON is read strictly; an entry that makes no sense becomes a fault and is left out.
///
/// - Source: the format page of COCO; pixels as pycocotools reads them.
public struct COCOAnnotationFile: Sendable {
  /// The largest file that is read, in bytes: twice the instances of COCO 2017.
  public static let byteLimit = 1 << 30

  /// The file, for messages.
  public let path: String
  /// The pictures, in the file's order; ids are unique.
  public let images: [COCOImage]
  /// The categories by ascending id; ids are unique.
  public let categories: [COCOCategory]
  /// What was left out, in the file's order.
  public let faults: [ImportFault]

  private let bytes: [UInt8]
  private let regionsOfImage: [Int: [COCORegion]]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - bytes: the file's bytes.
  ///   - path: the file, for messages.
  /// - Throws: ``ExportError`` `malformed` where it is no JSON, or one of the lists is missing or none.
  public init(bytes: [UInt8], path: String) throws {
    guard bytes.count <= Self.byteLimit else {
      throw ExportError(
        .malformed, path, "has \(bytes.count) bytes; at most \(Self.byteLimit) are read")
    }
    var parser = COCOFileParser(path: path)
    do {
      try bytes.withUnsafeBufferPointer { try parser.read($0) }
    } catch let error as JSONError {
      throw ExportError(.malformed, path, "no COCO file: \(error)")
    }
    try parser.check()
    self.bytes = bytes
    self.path = path
    images = parser.images
    categories = parser.categories.sorted { $0.id < $1.id }
    (regionsOfImage, faults) = parser.resolved()
  }

  /// The regions of a picture, in the file's order.
  public func regions(of image: COCOImage) -> [COCORegion] { regionsOfImage[image.id] ?? [] }

  /// The pixels of a region: runs as they are, outlines filled as pycocotools fills them, all in one.
  ///
  /// - Precondition: the region is one of the picture's in this file.
  ///
  /// - Parameters:
  ///   - region: the region.
  ///   - image: its picture.
  /// - Returns: the pixels, and what could not be taken.
  public func pixels(of region: COCORegion, in image: COCOImage) -> COCORegionPixels {
    do {
      let json = try JSONValue.parse(bytes[region.segmentation])
      return COCOSegmentationReader(
        width: image.width, height: image.height, place: "\(path), \(region.name)"
      ).read(json)
    } catch {
      return COCORegionPixels(encoding: nil, problems: ["no segmentation: \(error)"])
    }
  }
}
