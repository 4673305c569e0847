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
    try WholeFile.write(try PNGCodec.encode(image), to: path)
  }
}
