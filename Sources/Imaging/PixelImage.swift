/// A picture of interleaved 8-bit samples, rows from the top without padding.
///
/// - Shapes: `samples` [height, width, channels].
public struct PixelImage: Sendable, Equatable {
  /// How many samples a pixel has.
  public enum Channels: Int, Sendable {
    /// One: grey.
    case grey = 1
    /// Three: red, green, blue in sRGB.
    case rgb = 3
  }

  /// The longest side that is made, read or written, in pixels.
  public static let sideLimit = 8192

  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// Samples of a pixel.
  public let channels: Channels
  /// The samples, `width * height * channels` of them.
  public private(set) var samples: [UInt8]

  /// Takes samples as they are.
  ///
  /// - Parameters:
  ///   - width: pixels in a row, 1 to ``sideLimit``.
  ///   - height: rows, 1 to ``sideLimit``.
  ///   - channels: samples of a pixel.
  ///   - samples: row after row.
  /// - Throws: ``ImagingError`` where the size is out of range or the count of samples is another.
  public init(width: Int, height: Int, channels: Channels, samples: [UInt8]) throws {
    let expected = try Self.checkedPixelCount(width: width, height: height) * channels.rawValue
    guard samples.count == expected else {
      throw ImagingError(
        .wrongSize,
        "\(samples.count) samples for \(width) x \(height) pixels of \(channels.rawValue); "
          + "expected \(expected)")
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
  }

  /// A picture of one colour.
  ///
  /// - Parameters:
  ///   - width: pixels in a row, 1 to ``sideLimit``.
  ///   - height: rows, 1 to ``sideLimit``.
  ///   - colour: the colour of every pixel.
  /// - Throws: ``ImagingError`` where the size is out of range.
  public init(width: Int, height: Int, filledWith colour: Colour) throws {
    let count = try Self.checkedPixelCount(width: width, height: height)
    var samples: [UInt8] = []
    samples.reserveCapacity(count * 3)
    for _ in 0..<count {
      samples.append(colour.red)
      samples.append(colour.green)
      samples.append(colour.blue)
    }
    try self.init(width: width, height: height, channels: .rgb, samples: samples)
  }

  /// Turns a decoder's output into 8 bits as diffusers does: clamp(x / 2 + 1/2, 0, 1) * 255, rounded half to
  /// even, each step in single precision.
  ///
  /// - Shapes: `output` [height, width, channels].
  /// - Units: `output` in [-1, 1]; values beyond are clamped.
  /// - Source: diffusers `VaeImageProcessor.denormalize` and `numpy_to_pil`.
  ///
  /// - Parameters:
  ///   - output: the samples; only read during the call.
  ///   - width: pixels in a row.
  ///   - height: rows.
  ///   - channels: samples of a pixel.
  /// - Throws: ``ImagingError`` where the size does not fit or a sample is NaN or infinite.
  public init(
    signedUnitRange output: UnsafeBufferPointer<Float>, width: Int, height: Int,
    channels: Channels = .rgb
  ) throws {
    let expected = try Self.checkedPixelCount(width: width, height: height) * channels.rawValue
    guard output.count == expected else {
      throw ImagingError(
        .wrongSize,
        "\(output.count) samples for \(width) x \(height) pixels of \(channels.rawValue); "
          + "expected \(expected)")
    }
    var samples = [UInt8](repeating: 0, count: expected)
    for index in 0..<expected {
      let value = output[index]
      guard value.isFinite else {
        throw ImagingError(
          .notFinite,
          "the picture holds \(value) at sample \(index) of \(expected); expected finite numbers")
      }
      let unit = min(max(value * 0.5 + 0.5, 0), 1)
      samples[index] = UInt8((unit * 255).rounded(.toNearestOrEven))
    }
    try self.init(width: width, height: height, channels: channels, samples: samples)
  }

  /// The colour of a pixel.
  ///
  /// - Precondition: the pixel lies in the picture.
  public subscript(x: Int, y: Int) -> Colour {
    get {
      let start = offset(x, y)
      switch channels {
      case .grey: return Colour(samples[start], samples[start], samples[start])
      case .rgb: return Colour(samples[start], samples[start + 1], samples[start + 2])
      }
    }
    set {
      let start = offset(x, y)
      samples[start] = newValue.red
      if channels == .rgb {
        samples[start + 1] = newValue.green
        samples[start + 2] = newValue.blue
      }
    }
  }

  /// The same picture with three samples a pixel.
  public var rgb: PixelImage {
    guard channels == .grey else { return self }
    var copy = PixelImage(unchecked: width, height, .rgb)
    for (index, value) in samples.enumerated() {
      copy.samples[3 * index] = value
      copy.samples[3 * index + 1] = value
      copy.samples[3 * index + 2] = value
    }
    return copy
  }

  /// This picture with another one on its right.
  ///
  /// - Throws: ``ImagingError`` where both together are too wide.
  public func beside(_ other: PixelImage) throws -> PixelImage {
    precondition(other.channels == channels, "beside: \(other.channels) and \(channels)")
    var both = try PixelImage(
      width: width + other.width, height: max(height, other.height), channels: channels,
      samples: [UInt8](
        repeating: 0, count: (width + other.width) * max(height, other.height) * channels.rawValue))
    both.paste(self, x: 0, y: 0)
    both.paste(other, x: width, y: 0)
    return both
  }

  /// Copies a picture of the same channels to a place in this one; what lies outside is cut off.
  mutating func paste(_ other: PixelImage, x: Int, y: Int) {
    precondition(other.channels == channels, "paste: \(other.channels) into \(channels)")
    let columns = min(other.width, width - x)
    guard x >= 0, y >= 0, columns > 0 else { return }
    let depth = channels.rawValue
    for row in 0..<other.height where y + row < height {
      let from = other.width * row * depth
      let to = (width * (y + row) + x) * depth
      samples.replaceSubrange(
        to..<to + columns * depth, with: other.samples[from..<from + columns * depth])
    }
  }

  /// A black picture of a size that is known to be in range.
  init(unchecked width: Int, _ height: Int, _ channels: Channels) {
    self.width = width
    self.height = height
    self.channels = channels
    samples = Array(repeating: 0, count: width * height * channels.rawValue)
  }

  /// A picture whose size and count of samples are known to fit.
  init(unchecked width: Int, _ height: Int, _ channels: Channels, samples: [UInt8]) {
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
  }

  static func checkedPixelCount(width: Int, height: Int) throws -> Int {
    guard (1...sideLimit).contains(width), (1...sideLimit).contains(height) else {
      throw ImagingError(
        width > sideLimit || height > sideLimit ? .tooLarge : .wrongSize,
        "\(width) x \(height) pixels; expected 1 to \(sideLimit) a side")
    }
    return width * height
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(
      (0..<width).contains(x) && (0..<height).contains(y),
      "pixel (\(x), \(y)) of \(width) x \(height)")
    return (y * width + x) * channels.rawValue
  }
}
