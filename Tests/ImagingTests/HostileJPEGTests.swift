import Imaging
import TestSupport
import Testing

/// Whatever the bytes are, decoding gives a picture or an ``ImagingError``.
struct HostileJPEGTests {
  static let files = JPEGCodecTests.kinds + ["orientation6"]

  private func outcome(_ bytes: [UInt8], keepsGrey: Bool = false) -> ImagingError.Code? {
    do {
      _ = try JPEGCodec.decode(bytes, keepsGrey: keepsGrey)
      return nil
    } catch let error as ImagingError {
      #expect(error.message.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
      return error.code
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  @Test(arguments: files) func everyTruncationIsRefused(_ name: String) throws {
    let file = try fixture("\(name).jpg")
    for count in 0..<file.count {
      #expect(outcome(Array(file[..<count])) != nil, "\(count) of \(file.count) bytes")
    }
  }

  @Test(arguments: files) func flippedBitsNeverTrap(_ name: String) throws {
    let file = try fixture("\(name).jpg")
    var refused = 0
    for position in file.indices {
      for bit in 0..<8 {
        var changed = file
        changed[position] ^= 1 << bit
        if outcome(changed, keepsGrey: true) != nil { refused += 1 }
      }
    }
    #expect(refused > 0)
  }

  @Test(arguments: files) func changedBytesNeverTrap(_ name: String) throws {
    let file = try fixture("\(name).jpg")
    var random = SeededGenerator(seed: 3)
    for _ in 0..<1000 {
      var changed = file
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        changed[Int.random(in: 2..<changed.count, using: &random)] =
          Bool.random(using: &random) ? 0xff : UInt8.random(in: 0...255, using: &random)
      }
      _ = outcome(changed)
    }
  }

  @Test func noiseIsRefused() {
    var random = SeededGenerator(seed: 5)
    for count in 0..<300 {
      let noise = random.bytes(count)
      #expect(outcome(noise) != nil)
      #expect(outcome([0xff, 0xd8, 0xff] + noise) != nil)
    }
  }

  @Test func sizesBeyondTheLimitAreRefusedBeforeAnyMemoryIsTaken() throws {
    let file = try fixture("colour420.jpg")
    for (width, height) in [(8193, 1), (1, 8193), (30000, 20000), (65535, 65535)] {
      #expect(outcome(RawJPEG.resized(file, width: width, height: height)) == .tooLarge)
    }
    for (width, height) in [(0, 1), (1, 0)] {
      #expect(outcome(RawJPEG.resized(file, width: width, height: height)) == .malformed)
    }
  }

  @Test(arguments: ["colour420", "progressive", "cmyk", "progressive-grey"])
  func aLargePictureOfFewBytesIsRefused(_ name: String) throws {
    let file = RawJPEG.resized(try fixture("\(name).jpg"), width: 8192, height: 8192)
    #expect(outcome(file) == .malformed)
  }

  @Test func thousandsOfScansAreRefused() throws {
    var file = try fixture("progressive-grey.jpg")
    let scan = try #require(RawJPEG.segments(of: file).last)
    #expect(scan.marker == 0xda)
    // All bits of the first coefficient at once, so that the scan may be repeated.
    file[scan.start + 4 + scan.data.count - 1] = 0
    let end = try #require(
      (scan.start + 4..<file.count - 1).first { file[$0] == 0xff && file[$0 + 1] == 0xc4 })
    let piece = file[scan.start..<end]
    for (count, expected) in [(100, nil), (101, ImagingError.Code.tooLarge), (5000, .tooLarge)] {
      let many = file[..<scan.start] + (0..<count).flatMap { _ in piece } + [0xff, 0xd9]
      #expect(outcome(Array(many)) == expected)
    }
  }

  @Test func kindsThatAreNotReadAreNamed() throws {
    let file = try fixture("colour444.jpg")
    let frame = try #require(RawJPEG.segments(of: file).first { $0.marker == 0xc0 })
    for (marker, word) in [(UInt8(0xc9), "arithmetic"), (0xc3, "SOF"), (0xc5, "SOF")] {
      var changed = file
      changed[frame.start + 1] = marker
      let error = #expect(throws: ImagingError.self) { try JPEGCodec.decode(changed) }
      #expect(error?.code == .unsupported)
      #expect(error?.message.contains(word) == true)
    }
    var wide = file
    wide[frame.start + 4] = 12
    #expect(outcome(wide) == .unsupported)
  }

  @Test func bytesBehindTheEndAreLeftAlone() throws {
    let file = try fixture("colour444.jpg")
    #expect(try JPEGCodec.decode(file + file) == JPEGCodec.decode(file))
  }

  @Test func brokenExifLeavesThePictureAsItLies() throws {
    let file = try fixture("colour444.jpg")
    let upright = try JPEGCodec.decode(file)
    let good = try #require(
      RawJPEG.segments(of: try fixture("orientation6.jpg")).first { $0.marker == 0xe1 }
    ).data
    #expect(try JPEGCodec.decode(RawJPEG.inserting(0xe1, good, into: file)) != upright)
    for count in 0..<26 + 6 {
      let short = RawJPEG.inserting(0xe1, Array(good[..<count]), into: file)
      #expect(try JPEGCodec.decode(short) == upright, "\(count) bytes of Exif")
    }
    for value in [UInt8(0), 9, 255] {
      let changed = good.map { $0 == 6 ? value : $0 }
      #expect(try JPEGCodec.decode(RawJPEG.inserting(0xe1, changed, into: file)) == upright)
    }
  }

  @Test func anyExifIsReadWithoutATrap() throws {
    let good = Array(
      try #require(
        RawJPEG.segments(of: try fixture("orientation5.jpg")).first { $0.marker == 0xe1 }
      ).data[6...])
    #expect(ImageOrientation(exif: good) == .transposed)
    var random = SeededGenerator(seed: 9)
    var seen: Set<ImageOrientation> = []
    for _ in 0..<20_000 {
      var changed = good
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        changed[Int.random(in: 0..<changed.count, using: &random)] =
          UInt8.random(in: 0...255, using: &random)
      }
      seen.insert(ImageOrientation(exif: changed))
    }
    #expect(seen.count > 2)
  }
}
