import Imaging
import TensorCore

/// Says why a decoded picture is no use; a run tries such a sample again with another seed.
enum PictureCheck {
  /// Differences up to this, of 255, count as one colour.
  static let flatRange = 2

  /// The reason to reject values in [−1, 1] before they become a picture.
  static func fault(in values: Tensor) -> String? { values.isFinite ? nil : "not-finite" }

  /// The reason to reject a picture: all its pixels have one colour.
  static func fault(in picture: PixelImage) -> String? {
    let channels = picture.channels.rawValue
    var low = [UInt8](repeating: 255, count: channels)
    var high = [UInt8](repeating: 0, count: channels)
    for (position, sample) in picture.samples.enumerated() {
      low[position % channels] = min(low[position % channels], sample)
      high[position % channels] = max(high[position % channels], sample)
    }
    let isFlat = zip(low, high).allSatisfy { Int($1) - Int($0) <= flatRange }
    return isFlat ? "flat" : nil
  }
}
