import CanonicalJSON
public import DatasetFormat
import Imaging

/// Turns a data set of another layout into a run.
///
/// The set is read twice: first every picture is decoded, so that the run's size and configuration are settled and every
/// fault is named, then the shards are written. One picture is held at a time.
public final class DatasetImport {
  /// The arithmetic in one word, for DONE.
  private static let numerics = "imported/1"

  /// What was found.
  public struct Findings: Sendable, Equatable {
    /// Pictures that are listed.
    public var listed = 0
    /// Pictures that can be taken.
    public var samples = 0
    /// What cannot be taken; the pictures of some are taken all the same.
    public var faultCount = 0
    /// The first of them.
    public var faults: [ImportFault] = []

    /// The most faults that are kept.
    public static let faultLimit = 1000
  }

  /// The classes.
  public var classes: ClassTable { source.classes }
  /// Pictures that are listed.
  public var count: Int { source.count }
  /// What was found; after ``look(report:progress:)``.
  public private(set) var findings = Findings()

  private let place: ImportPlace
  private let source: any ImportSource
  private var positions: [Int] = []
  private var digest = ""

  /// Reads a data set's lists.
  ///
  /// - Throws: ``ExportError`` `malformed` or `usage`, `DatasetError` where they cannot be read.
  public init(_ place: ImportPlace) throws {
    self.place = place
    source = try place.source()
  }

  /// Reads all pictures once.
  ///
  /// - Parameters:
  ///   - report: told each fault as it is found.
  ///   - progress: told how many pictures are read; what it throws ends the work.
  /// - Throws: ``ExportError`` `malformed` where nothing can be taken, `DatasetError`, what the closures throw.
  public func look(
    report: (ImportFault) throws -> Void, progress: (Int) throws -> Void
  ) throws {
    findings = Findings(listed: source.count)
    positions = []
    var hasher = ContentHasher()
    func note(_ fault: ImportFault) throws {
      findings.faultCount += 1
      if findings.faults.count < Findings.faultLimit { findings.faults.append(fault) }
      try report(fault)
    }
    for fault in source.faults { try note(fault) }
    for position in 0..<source.count {
      try progress(position)
      do {
        let picture = try source.picture(position)
        for fault in picture.faults { try note(fault) }
        positions.append(position)
        hasher.update(Self.fingerprint(of: picture))
      } catch let fault as ImportFault {
        try note(fault)
      }
    }
    digest = hasher.sha256
    findings.samples = positions.count
    guard !positions.isEmpty else {
      throw ExportError(
        .malformed, place.path, "none of its \(source.count) pictures can be taken")
    }
    guard positions.count <= RunLayout.sampleLimit else {
      throw ExportError(.malformed, place.path, "has more pictures than a run holds")
    }
  }

  /// Writes the run, or goes on with one that was begun.
  ///
  /// - Parameters:
  ///   - path: the run folder.
  ///   - shardSize: samples of a shard, 1 or more.
  ///   - licence: the data set's licence as its user states it; nil where nobody did.
  ///   - version: the program's version.
  ///   - progress: told how many samples are kept; what it throws ends the work, what is kept stays.
  /// - Precondition: ``look(report:progress:)`` has found something.
  /// - Throws: `DatasetError`, ``ExportError`` where a file changed meanwhile, what `progress` throws.
  public func write(
    to path: String, shardSize: Int, licence: String?, version: String,
    progress: (Int) throws -> Void
  ) throws {
    let layout = RunLayout(sampleCount: positions.count, shardSize: shardSize)
    let folder = try RunFolder.open(
      path: path, configuration: configuration(layout, licence: licence, version: version),
      classes: classes, layout: layout, numerics: Self.numerics)
    var done = 0
    for shard in 0..<layout.shardCount {
      if case .done(let record) = try folder.state(ofShard: shard) {
        done += record.sampleCount
        continue
      }
      let writer = try folder.openShard(shard)
      done += writer.records.count
      for index in writer.missing {
        try progress(done)
        let picture = try again(positions[index])
        try writer.add(
          record(of: picture, index: index), image: picture.image, mask: picture.mask)
        done += 1
      }
      try writer.commit()
    }
    try progress(done)
    try folder.close()
  }

  private func again(_ position: Int) throws -> ImportedPicture {
    do {
      return try source.picture(position)
    } catch let fault as ImportFault {
      throw ExportError(
        .malformed, fault.place, "\(fault.problem); it changed while it was read, import it again")
    }
  }

  private static func fingerprint(of picture: ImportedPicture) -> [UInt8] {
    let size = "\(picture.image.width) \(picture.image.height)"
    let head = "\(picture.name)\n\(picture.prompt)\n\(size)\n"
    return Array(head.utf8) + picture.image.samples
      + picture.mask.ids.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
  }

  /// All that decides the bytes of the run, for run.json: no time, no host, no path.
  private func configuration(
    _ layout: RunLayout, licence: String?, version: String
  ) -> JSONValue {
    [
      "program": "triptych", "version": .string(version),
      "count": .integer(Int64(layout.sampleCount)),
      "shard_size": .integer(Int64(layout.shardSize)),
      "import": [
        "format": .string(place.format.rawValue), "sha256": .string(digest),
        "licence": licence.map { .string($0) } ?? .null,
        "listed": .integer(Int64(findings.listed)),
        "faults": .integer(Int64(findings.faultCount)),
      ], "masks": ["source": "imported"],
    ]
  }

  /// A record of a picture that nobody made here, with a mask that is taken to be true.
  private func record(of picture: ImportedPicture, index: Int) -> SampleRecord {
    let statistics = MaskStatistics(picture.mask)
    let pixels = Double(picture.mask.width * picture.mask.height)
    let entities = classes.entries.compactMap { entry -> SampleRecord.Entity? in
      guard let region = statistics.regions[UInt16(entry.id)] else { return nil }
      return SampleRecord.Entity(
        name: entry.name, classID: entry.id, words: entry.name, isNamed: false, isPresent: true,
        presence: 1, area: Double(region.pixels) / pixels, confidence: 1, edgeConfidence: 1,
        parts: region.parts, touchesBorder: region.touchesBorder)
    }
    return SampleRecord(
      index: index, hasMask: true, prompt: picture.prompt, seed: 0, width: picture.image.width,
      height: picture.image.height, entities: entities,
      scores: SampleRecord.Scores(of: picture.image), sources: [picture.name])
  }
}
