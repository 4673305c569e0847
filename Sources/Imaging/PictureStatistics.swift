/// What can be said of a picture's pixels without knowing what it shows.
public struct PictureStatistics: Sendable, Equatable {
  /// The mean of all samples, 0 (black) to 1 (white).
  public let brightness: Double
  /// The largest standard deviation among the channels, 0 (one colour) to 0.5.
  public let contrast: Double
  /// The share of samples that are 0 or 255.
  public let clipped: Double

  /// Looks at all pixels.
  public init(_ picture: PixelImage) {
    let depth = picture.channels.rawValue
    var sums = [Int](repeating: 0, count: depth)
    var squares = [Int](repeating: 0, count: depth)
    var clippedCount = 0
    for (position, sample) in picture.samples.enumerated() {
      let value = Int(sample)
      sums[position % depth] += value
      squares[position % depth] += value * value
      if sample == 0 || sample == 255 { clippedCount += 1 }
    }
    let pixels = picture.width * picture.height
    let all = Double(pixels * depth)
    brightness = Double(sums.reduce(0, +)) / (all * 255)
    clipped = Double(clippedCount) / all
    // Sums are whole numbers, so the order of adding cannot show.
    contrast =
      zip(sums, squares).map { sum, square in
        let mean = Double(sum) / Double(pixels)
        return (max(0, Double(square) / Double(pixels) - mean * mean)).squareRoot() / 255
      }.max() ?? 0
  }
}
