import CanonicalJSON
import DatasetExports
public import DatasetFormat
import Imaging

/// Turns a run into a folder of pages to look at, which needs no network, no server and nothing outside itself.
///
/// The bytes follow from the run's finished shards alone, apart from ``RemakeCommand``. One sample is held at a time, and
/// the texts of a thousand.
public struct RunGallery {
  /// What was written.
  public struct Summary: Sendable {
    /// Samples.
    public var samples: Int
    /// Files, the manifest included.
    public var files: Int
    /// Bytes of all files.
    public var bytes: Int
  }

  /// The folder in a run's own where a gallery goes if nobody says.
  public static let usualFolder = "gallery"
  /// The longest side of a small picture; pictures up to a quarter longer are shown as they are.
  static let thumbnailSide = 256
  private static let thumbnailLimit = thumbnailSide * 5 / 4
  private static let thumbnailQuality = 85

  private let run: RunContents
  private let command: RemakeCommand
  private let overlay: MaskOverlay

  /// Prepares for a run.
  ///
  /// - Throws: `DatasetError` `malformed` where no shard is finished.
  public init(_ run: RunContents, command: RemakeCommand) throws {
    guard run.sampleCount > 0 else {
      throw DatasetError(
        .malformed, path: run.path,
        "nothing to show: no shard is finished; give the run's command again")
    }
    self.run = run
    self.command = command
    overlay = MaskOverlay(run.classes)
  }

  /// Writes the gallery.
  ///
  /// - Parameters:
  ///   - path: the folder; an earlier gallery there is replaced once the new one is whole.
  ///   - fileSystem: the folder around it where it is another than the machine's.
  ///   - progress: told how many samples are written; what it throws ends the work.
  /// - Returns: what was written.
  /// - Throws: `ExportError` where something else stands at the place; `DatasetError`, `ImagingError` and what
  ///   `progress` throws; nothing is changed at the place then.
  public func write(
    to path: String, fileSystem: (any FileSystem)? = nil, progress: (Int) throws -> Void
  ) throws -> Summary {
    let place = try ExportFolder(path: path, kind: .gallery, fileSystem: fileSystem)
    do {
      let folder = try GalleryFolder(place)
      try progress(0)
      let samples = try fill(folder, progress: progress)
      try folder.writePage()
      try folder.writeManifest(samples: samples, configurationHash: run.configurationHash)
      try place.commit()
      return Summary(samples: samples, files: folder.size.files, bytes: folder.size.bytes)
    } catch {
      place.abandon()
      throw error
    }
  }

  private func fill(_ folder: GalleryFolder, progress: (Int) throws -> Void) throws -> Int {
    var statistics = RunStatistics(of: run)
    var scripts = GalleryScripts(folder, classes: run.classes)
    var done = 0
    try run.forEachSample { sample in
      let mask = try run.mask(of: sample)
      try statistics.add(sample, mask: mask)
      try writePictures(of: sample, mask: mask, to: folder)
      try scripts.add(sample, command: command.text(sample.record))
      done += 1
      try progress(done)
    }
    try scripts.finish()
    try scripts.writeRun(
      GalleryFacts(run, statistics: statistics, scripts: scripts, command: command).members)
    return done
  }

  private func writePictures(
    of sample: RunContents.Sample, mask: LabelMask?, to folder: GalleryFolder
  ) throws {
    let index = sample.record.index
    try folder.write(run.imageBytes(of: sample), .image, of: index)
    if let mask { try folder.write(overlay.png(mask), .overlay, of: index) }
    let longest = max(sample.record.width, sample.record.height)
    guard longest > Self.thumbnailLimit else { return }
    func side(_ length: Int) -> Int { max(1, length * Self.thumbnailSide / longest) }
    let (width, height) = (side(sample.record.width), side(sample.record.height))
    let small = try run.image(of: sample).resized(width: width, height: height, method: .area)
    try folder.write(
      JPEGCodec.encode(small, quality: Self.thumbnailQuality), .thumbnail, of: index)
    if let mask {
      let small = try mask.resized(width: width, height: height)
      try folder.write(overlay.png(small), .thumbnailOverlay, of: index)
    }
  }

  /// Whether pictures of a size have smaller ones beside them; the page asks the same.
  static var thumbnailRule: JSONValue { .integer(Int64(thumbnailLimit)) }
}
