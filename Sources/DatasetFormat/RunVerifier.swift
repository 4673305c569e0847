import CanonicalJSON

/// Checks a run folder: every hash, every record, every picture, and everything that follows from something else.
public struct RunVerifier {
  /// Something that is not as the format says.
  public struct Fault: Sendable, Equatable, CustomStringConvertible {
    /// The file or folder, relative to the run folder.
    public var file: String
    /// What is wrong with it.
    public var problem: String

    /// One line for people.
    public var description: String { "\(file): \(problem)" }
  }

  /// What was found.
  public struct Report: Sendable, Equatable {
    /// All faults, by shard; none where the folder is whole.
    public var faults: [Fault] = []
    /// Shards that say they are done.
    public var shards = 0
    /// Shards that are not made yet, which is no fault.
    public var missing: [Int] = []
    /// Samples of the former.
    public var samples = 0
  }

  /// The seed of an attempt at a sample, from the run's seed.
  public typealias SeedRule = @Sendable (_ run: UInt64, _ index: Int, _ attempt: Int) -> UInt64

  let files: any FileSystem
  let seedRule: SeedRule?
  var report = Report()
  /// What is known of the whole run; nil where it could not be read, which is a fault of its own.
  var facts = Facts()

  /// A file of the run whose hash stands in every DONE.
  struct Shared {
    let file: String
    /// Whether a shard has the file's hash.
    var isConfirmed = false
    /// The DONE files with another hash.
    var strangers: [(done: String, hash: String)] = []

    /// Takes down what a DONE says.
    mutating func note(_ hash: String, expected: String?, at done: String) {
      guard let expected else { return }
      if hash == expected { isConfirmed = true } else { strangers.append((done, hash)) }
    }
  }

  var configuration = Shared(file: RunLayout.configurationFile)
  var classFile = Shared(file: RunLayout.classFile)

  /// What shards must agree with.
  struct Facts {
    var configurationHash: String?
    var classHash: String?
    var classes: ClassTable?
    var layout: RunLayout?
    var rules: FilterRules?
    var runSeed: UInt64?
    var numerics: String?
  }

  /// Checks a folder without changing it.
  ///
  /// - Parameters:
  ///   - path: the run folder.
  ///   - seedRule: how seeds of generated samples follow from the run's; nil leaves seeds unchecked.
  ///   - watch: called before each shard with its number; throwing ends the check.
  /// - Returns: the faults and the counts.
  /// - Throws: ``DatasetError`` where the folder cannot be read; what `watch` throws.
  public static func check(
    runAt path: String, seedRule: SeedRule? = nil, watch: (Int) throws -> Void = { _ in }
  ) throws -> Report {
    var verifier = RunVerifier(
      files: try LocalFileSystem(root: path, creating: false), seedRule: seedRule)
    try verifier.checkRun()
    try verifier.checkShards(watch)
    verifier.blame(verifier.configuration)
    verifier.blame(verifier.classFile)
    return verifier.report
  }

  /// The faults of a folder; none where it is whole.
  ///
  /// - Throws: ``DatasetError`` where the folder cannot be read.
  public static func faults(inRunAt path: String) throws -> [Fault] {
    try check(runAt: path).faults
  }

  /// Reads what holds for the whole run.
  private mutating func checkRun() throws {
    try collecting(RunLayout.configurationFile) { verifier in
      let text = try verifier.files.read(
        RunLayout.configurationFile, limit: RunFolder.configurationLimit)
      verifier.facts.configurationHash = ContentHash.sha256(text)
      let name = RunLayout.configurationFile
      let json = try RunContents.parse(text, path: name)
      if Array(json.canonicalText.utf8) != text {
        verifier.add(name, "is not written as triptych writes it")
      }
      verifier.facts.layout = try RunLayout(configuration: json, path: name)
      verifier.facts.rules = try FilterRules.ofRun(json, path: name)
      // Only pictures that were generated or composed have seeds that follow from the run's.
      if json["sampling"] != nil || json["world"] != nil {
        verifier.facts.runSeed = json["seed"]?.string.flatMap { UInt64($0) }
      }
      if let precision = json["numerics"]?["precision"]?.string,
        let level = json["numerics"]?["isa"]?.string
      {
        verifier.facts.numerics = "\(precision)/\(level)"
      }
    }
    try collecting(RunLayout.classFile) { verifier in
      let text = try verifier.files.read(
        RunLayout.classFile, limit: RunFolder.configurationLimit)
      verifier.facts.classHash = ContentHash.sha256(text)
      verifier.facts.classes = try ClassTable(tsv: text, path: RunLayout.classFile)
    }
    try collecting(RunLayout.filterFile) { verifier in
      guard let filter = try FilterFile(files: verifier.files).read() else { return }
      let name = RunLayout.filterFile
      if filter.configurationHash != verifier.facts.configurationHash {
        verifier.add(name, "is of another run.json; give triptych filter again")
      }
      if try Array(filter.text.utf8)
        != verifier.files.read(name, limit: RunFolder.configurationLimit)
      {
        verifier.add(name, "is not written as triptych writes it")
      }
      if let classes = verifier.facts.classes {
        do {
          try filter.rules.check(against: classes)
        } catch let fault as FilterRules.Fault {
          verifier.add(name, "\(fault)")
        }
      }
    }
  }

  private mutating func checkShards(_ watch: (Int) throws -> Void) throws {
    var done = Set<Int>()
    try collecting(RunLayout.shardFolder) { verifier in
      guard try verifier.files.status(RunLayout.shardFolder) != nil else {
        // A run that stopped before its first shard.
        if try verifier.files.status(RunLayout.partialFolder) == nil {
          verifier.add(RunLayout.shardFolder, "is not there")
        }
        return
      }
      for name in try verifier.files.list(RunLayout.shardFolder) {
        let path = "\(RunLayout.shardFolder)/\(name)"
        guard let shard = Int(name), shard >= 0, RunLayout.shardName(shard) == name else {
          verifier.add(path, "no name of a shard")
          continue
        }
        if let layout = verifier.facts.layout, shard >= layout.shardCount {
          verifier.add(path, "the run has \(layout.shardCount) shard(s), numbered from 0")
          continue
        }
        try watch(shard)
        done.insert(shard)
        try verifier.check(shard)
      }
    }
    report.missing = (0..<(facts.layout?.shardCount ?? 0)).filter { !done.contains($0) }
  }

  /// Where all shards agree on another hash, the file is what was changed; else the shards that differ are strangers.
  private mutating func blame(_ shared: Shared) {
    let hashes = Set(shared.strangers.map(\.hash))
    if hashes.count == 1 && !shared.isConfirmed {
      return add(shared.file, "has other bytes than when the shards were made")
    }
    for stranger in shared.strangers { add(stranger.done, "is of another \(shared.file)") }
  }

  mutating func add(_ file: String, _ problem: String) {
    report.faults.append(Fault(file: file, problem: problem))
  }

  /// Turns what is wrong with the data into a fault; a disk that fails ends the check.
  mutating func collecting(
    _ file: String, _ body: (inout RunVerifier) throws -> Void
  ) throws {
    do {
      try body(&self)
    } catch let error as DatasetError where error.code == .malformed || error.isWrongPlace {
      add(file, error.message)
    }
  }
}
