import DatasetFormat
import Glibc
public import Imaging

/// A contact sheet of a run folder's first pictures.
public enum RunSheet {
  /// The most pictures on a sheet.
  public static let pictureLimit = 100

  /// Draws the first pictures of finished shards with their prompts.
  ///
  /// - Throws: ``GenerationError`` or `ImagingError` where a picture cannot be read.
  public static func draw(_ run: GenerationRun, in folder: String) throws -> PixelImage {
    let count = min(run.plan.count, pictureLimit)
    let tiles = try (0..<count).map { index in
      let path = "\(folder)/\(run.layout.picturePath(index))"
      let bytes = try FileAccess.bytes(of: path, limit: 1 << 30)
      let image = try PNGCodec.decodeImage(bytes).pixels
      return ContactSheet.Tile(image, caption: run.plan.sample(index).prompt)
    }
    return try ContactSheet(columns: columns(count)).draw(tiles)
  }

  /// Columns of a sheet: as near to a square as full rows allow, else as near as any.
  private static func columns(_ count: Int) -> Int {
    let square = (1...count).first { $0 * $0 >= count } ?? 1
    return (square...max(square, min(count, 2 * square - 2))).first { count % $0 == 0 } ?? square
  }

  /// Refuses a place where a file cannot be made, before hours of work end there.
  ///
  /// - Throws: ``GenerationError`` naming the folder.
  public static func checkPlace(_ path: String) throws {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard !FileAccess.isFolder(path), FileAccess.isFolder(folder), access(folder, W_OK) == 0 else {
      throw GenerationError(
        .unwritable, path, "a file cannot be made there; expected a name in a folder that is there")
    }
  }

  /// Writes a picture under its name at once: what was there before, or the whole new file.
  ///
  /// - Throws: ``GenerationError`` where it cannot be made, with the disk full as a reason of its own.
  public static func write(_ image: PixelImage, to path: String) throws {
    let bytes = try PNGCodec.encode(image)
    let temporary = "\(path).\(String(UInt32.random(in: 0...UInt32.max), radix: 16)).temporary"
    func fault(_ doing: String) -> GenerationError {
      let isFull = errno == ENOSPC || errno == EDQUOT
      return GenerationError(isFull ? .tryAgain : .unwritable, path, "\(doing): \(errorText())")
    }
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw fault("cannot be made") }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = fault("cannot be written")
        close(descriptor)
        unlink(temporary)
        throw error
      }
      rest = rest.dropFirst(count)
    }
    let isWritten = fsync(descriptor) == 0
    close(descriptor)
    guard isWritten, rename(temporary, path) == 0 else {
      let error = fault("cannot be written")
      unlink(temporary)
      throw error
    }
  }
}
