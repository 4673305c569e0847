/// A fingerprint of what a picture shows: alike pictures differ in few of its 64 bits.
///
/// The picture is brought to 9 x 8 grey cells by area; a bit says whether a cell is brighter than its right
/// neighbour, row after row, the first in the highest place. All arithmetic is whole, so every machine finds the
/// same bits.
///
/// - Source: the difference hash ("dHash") of N. Krawetz, "Kind of Like That", 2013.
public struct PictureHash: Sendable, Hashable, CustomStringConvertible {
  /// Cells in a row and rows, before neighbours are compared.
  private static let cells = (width: 9, height: 8)

  /// The bits.
  public let bits: UInt64

  /// Takes bits as they are.
  public init(bits: UInt64) { self.bits = bits }

  /// The hash of a picture of any size.
  public init(_ picture: PixelImage) {
    let (width, height) = Self.cells
    let sums = Self.sums(picture)
    var bits: UInt64 = 0
    for row in 0..<height {
      for column in 0..<width - 1 {
        let here = sums[row * width + column]
        bits = bits << 1 | (here > sums[row * width + column + 1] ? 1 : 0)
      }
    }
    self.bits = bits
  }

  /// Reads 16 hexadecimal digits in lower case; nil where the text is something else.
  public init?(hexadecimal text: String) {
    guard text.utf8.count == 16, let bits = UInt64(text, radix: 16) else { return nil }
    self.init(bits: bits)
    guard description == text else { return nil }
  }

  /// 16 hexadecimal digits.
  public var description: String {
    let digits = String(bits, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// In how many bits two hashes differ, 0 to 64.
  public func distance(to other: PictureHash) -> Int { (bits ^ other.bits).nonzeroBitCount }

  /// The luminance summed over each cell, weighted by how much of a pixel lies in it.
  private static func sums(_ picture: PixelImage) -> [Int] {
    let (width, height) = cells
    var rows = [Int](repeating: 0, count: height * picture.width)
    for y in 0..<picture.height {
      for tap in taps(of: y, from: picture.height, to: height) {
        for x in 0..<picture.width {
          rows[tap.cell * picture.width + x] += tap.weight * picture.luminance(x, y)
        }
      }
    }
    var sums = [Int](repeating: 0, count: width * height)
    for x in 0..<picture.width {
      for tap in taps(of: x, from: picture.width, to: width) {
        for row in 0..<height {
          sums[row * width + tap.cell] += tap.weight * rows[row * picture.width + x]
        }
      }
    }
    return sums
  }

  /// The cells that a pixel lies in, with the overlap in parts of `1 / count` of a pixel.
  private static func taps(
    of position: Int, from size: Int, to count: Int
  ) -> [(cell: Int, weight: Int)] {
    // A pixel spans `count` units, a cell `size` of them.
    let start = position * count
    let end = start + count
    return (start / size...(end - 1) / size).map { cell in
      (cell, min(end, (cell + 1) * size) - max(start, cell * size))
    }
  }
}

extension PixelImage {
  /// A pixel's luminance in thousandths of 255: 0 to 255000.
  ///
  /// - Source: the weights of ITU-R BT.601.
  func luminance(_ x: Int, _ y: Int) -> Int {
    let position = y * width + x
    switch channels {
    case .grey: return Int(samples[position]) * 1000
    case .rgb:
      let start = 3 * position
      return Int(samples[start]) * 299 + Int(samples[start + 1]) * 587
        + Int(samples[start + 2]) * 114
    }
  }
}
