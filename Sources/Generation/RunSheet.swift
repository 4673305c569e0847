public import DatasetFormat
public import Imaging

/// A contact sheet of a run folder's first pictures.
public enum RunSheet {
  /// The most pictures on a sheet.
  public static let pictureLimit = 100

  /// Draws the first pictures of finished shards with their prompts, each with its masks over it on the right.
  ///
  /// - Throws: `DatasetError` or `ImagingError` where a picture cannot be read.
  public static func draw(_ run: RunContents) throws -> PixelImage {
    var tiles: [ContactSheet.Tile] = []
    for shard in run.shards where tiles.count < pictureLimit {
      for sample in try run.samples(of: shard).prefix(pictureLimit - tiles.count) {
        let image = try run.image(of: sample)
        let mask = try run.mask(of: sample)
        tiles.append(
          ContactSheet.Tile(
            try mask.map { try image.beside($0.overlaid(on: image)) } ?? image,
            caption: sample.record.prompt))
      }
    }
    return try ContactSheet(columns: columns(tiles.count)).draw(tiles)
  }

  /// Columns of a sheet: as near to a square as full rows allow, else as near as any.
  private static func columns(_ count: Int) -> Int {
    let square = (1...count).first { $0 * $0 >= count } ?? 1
    return (square...max(square, min(count, 2 * square - 2))).first { count % $0 == 0 } ?? square
  }

  /// Writes a picture under its name at once: what was there before, or the whole new file.
  ///
  /// - Throws: ``GenerationError`` where it cannot be made, with the disk full as a reason of its own.
  public static func write(_ image: PixelImage, to path: String) throws {
    try WholeFile.write(try PNGCodec.encode(image), to: path)
  }
}
