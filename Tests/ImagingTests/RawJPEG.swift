/// JPEG files taken apart by hand.
enum RawJPEG {
  /// The segments before the first scan, the start of scan included.
  static func segments(of file: [UInt8]) -> [(marker: UInt8, start: Int, data: [UInt8])] {
    var segments: [(marker: UInt8, start: Int, data: [UInt8])] = []
    var position = 2
    while position + 4 <= file.count, file[position] == 0xff {
      let size = Int(file[position + 2]) << 8 | Int(file[position + 3])
      let marker = file[position + 1]
      segments.append((marker, position, Array(file[position + 4..<position + 2 + size])))
      if marker == 0xda { break }
      position += 2 + size
    }
    return segments
  }

  /// The file with another size in its frame header.
  static func resized(_ file: [UInt8], width: Int, height: Int) -> [UInt8] {
    var file = file
    guard let frame = segments(of: file).first(where: { (0xc0...0xc2).contains($0.marker) }) else {
      return []
    }
    let bytes = [height >> 8, height & 255, width >> 8, width & 255].map { UInt8($0) }
    file.replaceSubrange(frame.start + 5..<frame.start + 9, with: bytes)
    return file
  }

  /// The file with a segment put in behind its start.
  static func inserting(_ marker: UInt8, _ data: [UInt8], into file: [UInt8]) -> [UInt8] {
    let size = data.count + 2
    return Array(file[..<2]) + [0xff, marker, UInt8(size >> 8), UInt8(size & 255)] + data
      + Array(file[2...])
  }
}
