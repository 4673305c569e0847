public import Imaging
public import TensorCore

/// How SED's authors bring a picture into their network.
///
/// Two resizes, the second out of proportion; published scores need both.
///
/// - Source: xb534/SED `config.py`, `sed_model.py`; detectron2 `ResizeShortestEdge`, `DatasetMapper`.
public enum SEDPreprocessing {
  /// The shorter side behind the first resize, in pixels.
  public static let shorterSide = 640
  /// The most that the longer side may have behind it.
  public static let longestSide = 2560
  /// Both sides of what the network sees.
  public static let inputSide = 768
  /// The mean of each channel, of 255.
  public static let mean: [Float] = [122.7709383, 116.7460125, 104.09373615]
  /// The deviation of each channel, of 255.
  public static let deviation: [Float] = [68.5005327, 66.6321579, 70.3231630]

  /// The size behind the first resize.
  public static func resizedSize(width: Int, height: Int) -> (width: Int, height: Int) {
    precondition(width > 0 && height > 0, "SED: a picture of \(width)×\(height)")
    let short = Double(shorterSide)
    let scale = short / Double(min(width, height))
    var (high, wide) =
      height < width ? (short, scale * Double(width)) : (scale * Double(height), short)
    if max(high, wide) > Double(longestSide) {
      let scale = Double(longestSide) / max(high, wide)
      (high, wide) = (high * scale, wide * scale)
    }
    return (max(1, Int(wide + 0.5)), max(1, Int(high + 0.5)))
  }

  /// What the network sees of a picture: resized as bytes, normalised, then resized as numbers.
  ///
  /// - Parameters:
  ///   - picture: of any size, grey or in colours.
  ///   - side: both sides of the result, a multiple of 32.
  /// - Returns: [1, `side`, `side`, 3].
  /// - Throws: `ImagingError` where a size is out of range.
  public static func input(_ picture: PixelImage, side: Int = inputSide) throws -> Tensor {
    let size = resizedSize(width: picture.width, height: picture.height)
    let resized = try picture.smoothlyResized(width: size.width, height: size.height)
    let depth = resized.channels.rawValue
    let normalized = Tensor(shape: [1, size.height, size.width, mean.count]) { out in
      for pixel in 0..<size.height * size.width {
        for (channel, (mean, deviation)) in zip(mean, deviation).enumerated() {
          let sample = resized.samples[pixel * depth + min(channel, depth - 1)]
          out[pixel * Self.mean.count + channel] = (Float(sample) - mean) / deviation
        }
      }
    }
    return bilinearResized(normalized, height: side, width: side, inSingle: true)
  }
}
