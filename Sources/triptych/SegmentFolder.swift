import CanonicalJSON
import DatasetFormat
import Generation
import Glibc
import Imaging
import OpenVocabulary

/// The folder of segmented pictures: two pictures each, and segments.jsonl, which lists what is finished.
final class SegmentFolder {
  static let listFile = "segments.jsonl"
  /// What everything there was made with.
  static let configurationFile = "segment.json"
  private static let listLimit = 4 << 30
  private static let newSuffix = ".new"

  private let files: LocalFileSystem
  private let labelCount: Int
  private var list: Int32 = -1
  private var finished: Set<String> = []

  /// Makes the folder, or goes on with it; what other settings made there is left out of the list.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - configuration: all that decides a picture's labels.
  ///   - labelCount: lines a picture.
  /// - Throws: `DatasetError` where files cannot be made in it.
  init(path: String, configuration: JSONValue, labelCount: Int) throws {
    files = try LocalFileSystem(root: path, creating: true)
    self.labelCount = labelCount
    let text = Array((configuration.text + "\n").utf8)
    let isSame = try Self.contents(files, Self.configurationFile) == text
    let before = try Self.contents(files, Self.listFile)
    if !isSame, !before.isEmpty {
      Console.note(
        "triptych: what \(path) lists was made with other settings; all pictures are segmented anew"
      )
    }
    let kept = isSame ? wholePictures(in: before) : []
    list = try files.createFile(Self.listFile + Self.newSuffix)
    try files.write(kept, to: list, path: Self.listFile)
    try files.synchronize(list, path: Self.listFile)
    try files.rename(Self.listFile + Self.newSuffix, to: Self.listFile)
    if !isSame {
      try files.replace(
        Self.configurationFile, with: text, temporary: Self.configurationFile + Self.newSuffix)
    }
  }

  deinit { if list >= 0 { Glibc.close(list) } }

  /// The list's path.
  var listPath: String { files.shown(Self.listFile) }

  /// Whether a picture is finished and was not changed since.
  func isFinished(_ image: String, _ name: SegmentNames.Entry) -> Bool {
    guard finished.contains(image), let source = Self.changed(image),
      let mask = Self.changed(files.shown(name.mask)), Self.changed(files.shown(name.overlay)) != nil
    else { return false }
    return source <= mask
  }

  /// Writes a picture's mask and overlay, and then lists it.
  ///
  /// - Throws: `GenerationError`, `DatasetError` or `ImagingError`.
  func write(
    _ segmented: SegmentedPicture, of picture: PixelImage, image: String,
    _ name: SegmentNames.Entry, depth: LabelMask.Depth
  ) throws {
    let colours = Dictionary(
      uniqueKeysWithValues: segmented.findings.map { (UInt16($0.label.id), $0.label.colour) })
    let colour = { (id: UInt16) in colours[id] ?? Palette.colour(of: id) }
    let mask = segmented.mask
    let bytes =
      depth == .sixteen
      ? try PNGCodec.encode(mask, depth: .sixteen)
      : try PNGCodec.encode(
        indices: mask.ids.map { UInt8(truncatingIfNeeded: $0) }, width: mask.width,
        height: mask.height, palette: (0...255).map(colour))
    try WholeFile.write(bytes, to: files.shown(name.mask))
    let overlay = mask.overlaid(on: picture, colour: colour)
    try WholeFile.write(try PNGCodec.encode(overlay), to: files.shown(name.overlay))
    let lines = segmented.findings.map { finding in
      JSONValue.object([
        .init("image", .string(image)), .init("mask", .string(name.mask)),
        .init("label", .string(finding.label.name)),
        .init("id", .integer(Int64(finding.label.id))), .init("share", .number(finding.share)),
        .init("mean_probability", .number(finding.meanProbability)),
      ]).text + "\n"
    }
    try files.write(Array(lines.joined().utf8), to: list, path: Self.listFile)
    finished.insert(image)
  }

  /// The lines of pictures that have all of theirs, in their order; what a kill left is cut off.
  private func wholePictures(in bytes: [UInt8]) -> [UInt8] {
    var kept: [UInt8] = []
    var open: [UInt8] = []
    var (image, count) = ("", 0)
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let name = Self.image(of: Array(line)) else { break }
      if name != image { (image, count, open) = (name, 0, []) }
      count += 1
      open += line + [UInt8(ascii: "\n")]
      if count == labelCount {
        finished.insert(image)
        kept += open
        (image, count, open) = ("", 0, [])
      }
    }
    return kept
  }

  private static func image(of line: [UInt8]) -> String? {
    do {
      return try JSONValue.parse(line)["image"]?.string
    } catch {
      // Half a line is where the program was stopped.
      return nil
    }
  }

  private static func contents(_ files: LocalFileSystem, _ name: String) throws -> [UInt8] {
    try files.status(name) == nil ? [] : files.read(name, limit: listLimit)
  }

  /// When a file was last changed, in nanoseconds; nil where it is not there.
  private static func changed(_ path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
  }
}
