public import DatasetFormat
public import Imaging

/// What a run holds: counts by reason and class, sizes and scores of masks, where objects lie.
///
/// Everything is counted in one pass, with one picture's mask in memory. Decisions are those that hold now, so after
/// `triptych filter` they are its decisions.
public struct RunStatistics: Sendable {
  /// The counts of one class, or of all classes of one side of a split.
  public struct Counts: Sendable, Equatable {
    /// Samples that name it or hold it.
    public var images = 0
    /// Those that are accepted.
    public var accepted = 0
    /// Attempts that were made at them.
    public var attempts = 0
    /// Pixels of all masks that are its own.
    public var pixels = 0
  }

  /// The classes of the run.
  public let classes: ClassTable
  /// Samples of the whole run, made or not.
  public let planned: Int
  /// Shards that are not finished.
  public let missingShards: [Int]

  /// Samples, accepted ones, reasons.
  public private(set) var tally = AcceptanceTally()
  /// Samples with a mask.
  public var masks: Int { places.masks }
  /// Pixels of all masks that show no object.
  public private(set) var backgroundPixels = 0
  /// Pixels of all masks that are to be ignored.
  public private(set) var ignoredPixels = 0
  /// The share of the picture that the mask of an object covers.
  public private(set) var areas = Histogram()
  /// The mean probability inside the mask of an object.
  public private(set) var confidences = Histogram()
  /// The mean probability along the edge of an object's mask.
  public private(set) var edgeConfidences = Histogram()
  /// Where objects lie.
  public private(set) var places = PlaceMap()

  private var pixels: [Int]
  private var sides: [ClassTable.Split: Counts] = [:]
  private let positions: [Int: Int]
  private let positionsByName: [String: Int]

  /// Counts nothing yet.
  ///
  /// - Parameter run: the run whose samples are to be counted.
  public init(of run: RunContents) {
    self.init(
      classes: run.classes, planned: run.layout.sampleCount, missingShards: run.missingShards)
  }

  /// Counts nothing yet.
  public init(classes: ClassTable, planned: Int, missingShards: [Int] = []) {
    self.classes = classes
    self.planned = planned
    self.missingShards = missingShards
    pixels = Array(repeating: 0, count: classes.entries.count)
    let numbered = classes.entries.enumerated()
    positions = Dictionary(uniqueKeysWithValues: numbered.map { ($1.id, $0) })
    positionsByName = Dictionary(uniqueKeysWithValues: numbered.map { ($1.name, $0) })
  }

  /// Counts every sample of a run.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - watch: told how many samples are counted; what it throws ends the work.
  /// - Returns: the counts.
  /// - Throws: `DatasetError` where a record or mask cannot be read; what `watch` throws.
  public static func counted(
    _ run: RunContents, watch: (Int) throws -> Void
  ) throws -> RunStatistics {
    var statistics = RunStatistics(of: run)
    var done = 0
    try run.forEachSample { sample in
      try statistics.add(sample, mask: run.mask(of: sample))
      done += 1
      try watch(done)
    }
    return statistics
  }

  /// Counts a sample.
  ///
  /// - Parameters:
  ///   - sample: the sample.
  ///   - mask: its mask; nil where it has none.
  /// - Throws: `DatasetError` where the mask holds an id, or the record a class, that the run has not.
  public mutating func add(_ sample: RunContents.Sample, mask: LabelMask?) throws {
    let record = sample.record
    tally.add(record)
    var own: [ClassTable.Split: Int] = [:]
    if let mask {
      places.add(mask)
      own = try countPixels(mask, sample)
    }
    for entity in record.entities {
      guard let position = positionsByName[entity.name] else {
        throw DatasetError(
          .malformed, path: sample.imagePath,
          "its record holds the class \"\(entity.name)\", which is not in classes.tsv; triptych verify says more"
        )
      }
      if entity.isNamed || entity.isPresent {
        own[classes.entries[position].split, default: 0] += 0
      }
      guard entity.isPresent, entity.area > 0 else { continue }
      areas.add(entity.area, isAccepted: record.isAccepted)
      confidences.add(entity.confidence, isAccepted: record.isAccepted)
      edgeConfidences.add(entity.edgeConfidence, isAccepted: record.isAccepted)
    }
    for (side, count) in own {
      sides[side, default: Counts()].images += 1
      sides[side, default: Counts()].attempts += record.attempt + 1
      sides[side, default: Counts()].pixels += count
      if record.isAccepted { sides[side, default: Counts()].accepted += 1 }
    }
  }

  /// The counts of each class, in the order of the table.
  public var perClass: [(entry: ClassTable.Entry, counts: Counts)] {
    zip(classes.entries, pixels).map { entry, pixels in
      let count = tally.classes[entry.name]
      return (
        entry,
        Counts(
          images: count?.images ?? 0, accepted: count?.accepted ?? 0,
          attempts: count?.attempts ?? 0, pixels: pixels)
      )
    }
  }

  /// The counts of all classes of one side together: a sample with two of them counts once.
  public func counts(of side: ClassTable.Split) -> Counts { sides[side] ?? Counts() }

  /// Whether some class is marked as seen or unseen.
  public var hasSplit: Bool { classes.entries.contains { $0.split != .none } }

  /// Pixels of all masks.
  public var allPixels: Int { backgroundPixels + ignoredPixels + pixels.reduce(0, +) }

  private mutating func countPixels(
    _ mask: LabelMask, _ sample: RunContents.Sample
  ) throws -> [ClassTable.Split: Int] {
    var counts: [UInt16: Int] = [:]
    var (last, length) = (mask.ids[0], 0)
    for id in mask.ids {
      if id != last {
        counts[last, default: 0] += length
        (last, length) = (id, 0)
      }
      length += 1
    }
    counts[last, default: 0] += length
    backgroundPixels += counts.removeValue(forKey: LabelMask.background) ?? 0
    ignoredPixels += counts.removeValue(forKey: LabelMask.ignored) ?? 0
    var own: [ClassTable.Split: Int] = [:]
    for (id, count) in counts {
      guard let position = positions[Int(id)] else {
        throw DatasetError(
          .malformed, path: sample.maskPath ?? sample.imagePath,
          "holds the id \(id), which is not in classes.tsv; triptych verify says more")
      }
      pixels[position] += count
      own[classes.entries[position].split, default: 0] += count
    }
    return own
  }
}
