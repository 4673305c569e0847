import CanonicalJSON
import DatasetFormat
import Generation
import Glibc
import Imaging
import TensorCore

/// A folder of cut-outs and places that scenes are composed of.
///
/// `cutouts/CATEGORY/THING/VIEW.png` are pictures with alpha, `backgrounds/NUMBER.png` photographs, `pack.json` says of
/// each whether it is held out for tests; docs/WORLDS.md has the whole of it. Names are read and checked at once,
/// pictures when a scene first needs them; what was read last is kept within a limit. May be used from several threads.
public final class WorldPack: Sendable {
  /// A picture of a thing.
  public struct Cutout: Sendable, Equatable {
    /// Its file, from the pack's folder.
    public let file: String
    /// The position of its category in ``WorldPack/categories``.
    public let category: Int
    /// The thing; views of one thing share it.
    public let thing: String
    /// Whether it is kept for tests.
    public let isHeldOut: Bool
  }

  /// A background.
  public struct Place: Sendable, Equatable {
    /// Its file, from the pack's folder.
    public let file: String
    /// How a prompt says where things are, such as "on a beach"; nil where nobody says.
    public let words: String?
    /// Whether it is kept for tests.
    public let isHeldOut: Bool
  }

  /// The largest picture that is read, in bytes.
  public static let byteLimit = 64 << 20
  /// The longest side of a cut-out that is read, in pixels.
  public static let cutoutSideLimit = 4096
  /// The most cut-outs and places.
  public static let fileLimit = 1_000_000
  /// The memory for pictures that are kept, where nobody says, in bytes.
  public static let usualCacheLimit = 256 << 20
  /// The file that says what is held out.
  public static let descriptionFile = "pack.json"

  /// The folder, as the user named it.
  public let path: String
  /// The categories: names of things as a prompt says them.
  public let categories: [String]
  /// The cut-outs.
  public let cutouts: [Cutout]
  /// The places.
  public let places: [Place]
  /// What `pack.json` says of the pack's licence; nil where it says nothing.
  public let licence: String?
  /// The categories with cut-outs that are held out, as positions in ``categories``.
  public let heldOutCategories: Set<Int>
  /// Those of them with a thing of which every cut-out is held out: one that no training can have seen.
  public let novelCategories: Set<Int>

  private let root: String
  private let hasDescription: Bool
  private let cache: PictureCache

  /// Reads what a folder holds, but no picture yet.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - cacheLimit: bytes of pictures that are kept.
  /// - Throws: `GenerationError` or `DatasetError` naming the file or folder that is missing or wrong.
  public init(path: String, cacheLimit: Int = WorldPack.usualCacheLimit) throws {
    guard FileAccess.isFolder(path), let resolved = realpath(path, nil) else {
      throw GenerationError(
        .missingInput, path,
        "is no folder; expected a pack with cutouts/ and backgrounds/ in it")
    }
    defer { free(resolved) }
    root = String(cString: resolved)
    self.path = path
    let index = try PackIndex(folder: path)
    categories = index.categories
    cutouts = index.cutouts
    places = index.places
    licence = index.licence
    hasDescription = index.isDescribed
    let (held, known) = (index.cutouts.filter(\.isHeldOut), index.cutouts.filter { !$0.isHeldOut })
    heldOutCategories = Set(held.map(\.category))
    novelCategories = Set(
      Set(held.map(Thing.init)).subtracting(known.map(Thing.init)).map(\.category))
    cache = PictureCache(limit: cacheLimit)
  }

  /// A cut-out's pixels.
  ///
  /// - Throws: `GenerationError` where the file is not there, is no PNG with alpha, or shows nothing.
  func cutout(_ number: Int) throws -> PicturePyramid {
    try cache.picture(number) { try readCutout(number, bytes(of: cutouts[number].file)) }
  }

  /// A place's pixels.
  ///
  /// - Throws: `GenerationError` where the file is not there or no picture.
  func place(_ number: Int) throws -> PicturePyramid {
    try cache.picture(cutouts.count + number) {
      try readPlace(number, bytes(of: places[number].file))
    }
  }

  /// Reads every picture, so that no run ends at the last one.
  ///
  /// - Returns: the SHA-256 of the pack's content: of a line `hash  file` for each file, by name, as `sha256sum` prints.
  /// - Throws: `GenerationError` naming the first file that is wrong.
  public func check() throws -> String {
    let pictures = try Parallel.map(cutouts.count + places.count) { number in
      let isCutout = number < cutouts.count
      let place = number - cutouts.count
      let file = isCutout ? cutouts[number].file : places[place].file
      let bytes = try bytes(of: file)
      _ = try cache.picture(number) {
        try isCutout ? readCutout(number, bytes) : readPlace(place, bytes)
      }
      return (file, ContentHash.sha256(bytes))
    }
    let description =
      hasDescription
      ? [(Self.descriptionFile, ContentHash.sha256(try PackIndex.descriptionBytes(path)))] : []
    let lines = (pictures + description).sorted { $0.0 < $1.0 }.map { "\($1)  \($0)\n" }
    return ContentHash.sha256(lines.joined().utf8)
  }

  private func readCutout(_ number: Int, _ bytes: [UInt8]) throws -> PicturePyramid {
    try naming(cutouts[number].file) {
      let cutout = try PNGCodec.decodeCutout(bytes, sideLimit: Self.cutoutSideLimit)
      guard cutout.hasAlpha else {
        throw ImagingError(
          .unsupported, "has no alpha; expected a PNG that is transparent around its thing")
      }
      guard let pyramid = PicturePyramid(cutout) else {
        throw ImagingError(
          .unsupported, "shows nothing: no pixel is half opaque; remove it or put a picture there")
      }
      return pyramid
    }
  }

  private func readPlace(_ number: Int, _ bytes: [UInt8]) throws -> PicturePyramid {
    try naming(places[number].file) { PicturePyramid(try ImageFile.decode(bytes)) }
  }

  private func naming<R>(_ file: String, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as ImagingError {
      throw GenerationError(
        error.code == .outOfMemory ? .tryAgain : .malformed, "\(path)/\(file)", error.message)
    }
  }

  /// The bytes of a file, which must lie in the pack once all links are followed.
  private func bytes(of file: String) throws -> [UInt8] {
    let place = "\(path)/\(file)"
    guard let resolved = realpath(place, nil) else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw GenerationError(
        isMissing ? .missingInput : .unreadable, place, "cannot be opened: \(errorText())")
    }
    defer { free(resolved) }
    guard String(cString: resolved).hasPrefix(root == "/" ? root : root + "/") else {
      throw GenerationError(
        .malformed, place, "is a link that leads out of the pack; put the file itself there")
    }
    guard FileAccess.isFile(place) else {
      throw GenerationError(.malformed, place, "is no regular file; expected a picture")
    }
    return try FileAccess.bytes(of: place, limit: Self.byteLimit)
  }
}

/// A thing of a category; things of two categories may be called the same.
private struct Thing: Hashable {
  let category: Int
  let name: String

  init(_ cutout: WorldPack.Cutout) { (category, name) = (cutout.category, cutout.thing) }
}
