import Imaging
import TensorCore

/// How LSeg is shown a picture: resized, padded with black and cut into overlapping crops.
///
/// - Source: isl-org/lang-seg `additional_utils/models.py` (`LSeg_MultiEvalModule`).
struct CropProtocol: Sendable, Equatable {
  /// The longer side at scale 1, in pixels.
  static let baseSide = 520
  /// The side of a crop.
  static let cropSide = 480
  /// From a crop to the next one: two thirds of it.
  static let stride = 320
  /// The published scales of many passes.
  static let publishedScales = [0.5, 0.75, 1, 1.25, 1.5, 1.75]

  /// A picture at one scale.
  struct View {
    /// The resized picture, padded with black on the right and below [1, H, W, 3].
    let picture: Tensor
    /// Its size without padding.
    let height: Int
    let width: Int
    /// The first row and column of each crop.
    let crops: [(y: Int, x: Int)]
    /// The side of a crop.
    let side: Int
  }

  /// Sizes in comparison with the usual one.
  var scales: [Double]
  /// Whether each crop is shown mirrored too.
  var isMirrored: Bool
  /// The side of a square that all of the picture fills, in one pass; nil for crops.
  var inputSide: Int?

  /// One scale without mirroring, or the published twelve passes.
  init(multiScale: Bool, inputSide: Int? = nil) {
    scales = multiScale ? Self.publishedScales : [1]
    isMirrored = multiScale
    self.inputSide = inputSide
  }

  /// The views of a picture, normalised as a backbone wants it.
  func views(of picture: PixelImage, for backbone: LSegConfiguration.Backbone) -> [View] {
    let samples = Self.normalised(picture, backbone)
    guard let inputSide else {
      return scales.map { Self.view(of: samples, scale: $0, backbone) }
    }
    let resized = bilinearResized(
      samples, height: inputSide, width: inputSide, alignsCorners: true)
    return [
      View(
        picture: resized, height: inputSide, width: inputSide, crops: [(0, 0)], side: inputSide)
    ]
  }

  /// The samples of a picture less the mean, over the deviation [1, h, w, 3].
  private static func normalised(
    _ picture: PixelImage, _ backbone: LSegConfiguration.Backbone
  ) -> Tensor {
    let samples = picture.rgb.samples
    let (mean, deviation) = (backbone.pixelMean, backbone.pixelDeviation)
    return Tensor(shape: [1, picture.height, picture.width, 3]) { out in
      for (index, sample) in samples.enumerated() {
        out[index] = (Float(sample) / 255 - mean[index % 3]) / deviation[index % 3]
      }
    }
  }

  private static func view(
    of samples: Tensor, scale: Double, _ backbone: LSegConfiguration.Backbone
  ) -> View {
    let (_, h, w, _) = samples.dimensions4("picture")
    let long = Int((Double(baseSide) * scale).rounded(.up))
    func short(_ side: Int, _ longer: Int) -> Int {
      max(1, Int(Double(side) * Double(long) / Double(longer) + 0.5))
    }
    let (height, width) = h > w ? (long, short(w, h)) : (short(h, w), long)
    let resized = bilinearResized(samples, height: height, width: width, alignsCorners: true)
    // A crop that sticks out is filled up with black, which is padding too.
    func starts(_ side: Int) -> [Int] {
      let count = (max(side, cropSide) - cropSide + stride - 1) / stride + 1
      return (0..<count).map { $0 * stride }
    }
    let (rows, columns) = (starts(height), starts(width))
    let padded = extended(
      resized, height: (rows.last ?? 0) + cropSide, width: (columns.last ?? 0) + cropSide,
      with: zip(backbone.pixelMean, backbone.pixelDeviation).map { -$0 / $1 })
    return View(
      picture: padded, height: height, width: width,
      crops: rows.flatMap { y in columns.map { (y, $0) } }, side: cropSide)
  }

  private static func extended(
    _ picture: Tensor, height: Int, width: Int, with black: [Float]
  ) -> Tensor {
    let (_, h, w, c) = picture.dimensions4("picture")
    return picture.withUnsafeBuffer { source in
      Tensor(shape: [1, height, width, c]) { out in
        for index in 0..<out.count { out[index] = black[index % c] }
        for y in 0..<h {
          for index in 0..<w * c { out[y * width * c + index] = source[y * w * c + index] }
        }
      }
    }
  }
}

extension CropProtocol.View {
  /// A crop [1, side, side, 3].
  func crop(_ number: Int, mirrored: Bool) -> Tensor {
    let (_, _, across, c) = picture.dimensions4("picture")
    let (y0, x0) = crops[number]
    return picture.withUnsafeBuffer { source in
      Tensor(shape: [1, side, side, c]) { out in
        for y in 0..<side {
          for x in 0..<side {
            let from = ((y0 + y) * across + x0 + (mirrored ? side - 1 - x : x)) * c
            for k in 0..<c { out[(y * side + x) * c + k] = source[from + k] }
          }
        }
      }
    }
  }

  /// The mean of the crops' logits where they overlap, mirrored ones turned back [1, height, width, labels].
  ///
  /// - Parameters:
  ///   - labelCount: the number of labels.
  ///   - mirrored: whether each crop is shown mirrored too.
  ///   - logits: of a crop [1, side, side, labels], as it was shown.
  func merged(
    labelCount: Int, mirrored: Bool, _ logits: (_ crop: Int, _ mirrored: Bool) throws -> Tensor
  ) rethrows -> Tensor {
    var sum = [Float](repeating: 0, count: height * width * labelCount)
    var times = [Float](repeating: 0, count: height * width)
    for (number, place) in crops.enumerated() {
      for isMirrored in mirrored ? [false, true] : [false] {
        try logits(number, isMirrored).withUnsafeBuffer { own in
          for y in place.y..<min(place.y + side, height) {
            for x in place.x..<min(place.x + side, width) {
              let column = isMirrored ? side - 1 - (x - place.x) : x - place.x
              let (from, to) = (((y - place.y) * side + column) * labelCount, y * width + x)
              times[to] += 1
              for k in 0..<labelCount { sum[to * labelCount + k] += own[from + k] }
            }
          }
        }
      }
    }
    return Tensor(shape: [1, height, width, labelCount]) { out in
      for pixel in 0..<times.count {
        for index in pixel * labelCount..<(pixel + 1) * labelCount {
          out[index] = sum[index] / times[pixel]
        }
      }
    }
  }
}
