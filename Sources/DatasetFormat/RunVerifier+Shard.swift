import CanonicalJSON
import Imaging

extension RunVerifier {
  /// Checks a shard: DONE, the files that it lists and no others, the records.
  mutating func check(_ shard: Int) throws {
    let folder = RunLayout.shardPath(shard)
    let doneFile = "\(folder)/\(RunLayout.doneFile)"
    let reader = ShardReader(files: files, folder: folder)
    try collecting(doneFile) { verifier in
      guard let done = try reader.done() else {
        return verifier.add(folder, "DONE is not there; give the run's command again")
      }
      verifier.report.shards += 1
      verifier.report.samples += done.sampleCount
      try verifier.check(done, of: shard, at: doneFile)
      var isWhole = true
      for file in done.files {
        if let problem = try reader.problem(of: file, rehashing: true) {
          verifier.add("\(folder)/\(file.path)", problem)
          isWhole = false
        }
      }
      try verifier.checkNames(folder, done)
      if isWhole {
        try verifier.collecting("\(folder)/\(RunLayout.recordFile)") {
          try $0.checkRecords(reader, done)
        }
      }
    }
  }

  /// What DONE says of itself and of the run.
  private mutating func check(_ done: DoneRecord, of shard: Int, at file: String) throws {
    if try Array(done.text.utf8) != files.read(file, limit: ShardReader.textLimit) {
      add(file, "is not written as triptych writes it")
    }
    if done.shard != shard { add(file, "is of shard \(done.shard)") }
    configuration.note(done.configurationHash, expected: facts.configurationHash, at: file)
    classFile.note(done.classHash, expected: facts.classHash, at: file)
    if let numerics = facts.numerics, done.numerics != numerics {
      add(file, "was made with \(done.numerics), the run with \(numerics)")
    }
    facts.numerics = facts.numerics ?? done.numerics
    if let indices = facts.layout?.indices(ofShard: shard),
      done.firstIndex != indices.lowerBound || done.sampleCount != indices.count
    {
      add(
        file,
        "has \(done.sampleCount) samples from \(done.firstIndex) on, expected \(indices.count) "
          + "from \(indices.lowerBound) on")
    }
  }

  /// Nothing lies in a shard that DONE does not list.
  private mutating func checkNames(_ folder: String, _ done: DoneRecord) throws {
    let listed = Set(done.files.map(\.path) + [RunLayout.doneFile])
    let folders = [RunLayout.imageFolder, RunLayout.maskFolder]
    for name in try files.list(folder) where !folders.contains(name) && !listed.contains(name) {
      add("\(folder)/\(name)", "not listed in DONE")
    }
    for inner in folders where try files.status("\(folder)/\(inner)")?.kind == .directory {
      for name in try files.list("\(folder)/\(inner)") where !listed.contains("\(inner)/\(name)") {
        add("\(folder)/\(inner)/\(name)", "not listed in DONE")
      }
    }
  }

  private mutating func checkRecords(_ reader: ShardReader, _ done: DoneRecord) throws {
    let file = "\(reader.folder)/\(RunLayout.recordFile)"
    let records = try reader.records()
    let indices = done.firstIndex..<done.firstIndex + done.sampleCount
    guard records.map(\.index) == Array(indices) else {
      return add(file, "not one record a sample in order")
    }
    let counted = DoneRecord(
      shard: done.shard, indices: indices, records: records,
      configurationHash: done.configurationHash, classHash: done.classHash,
      numerics: done.numerics, files: done.files)
    if counted != done {
      add("\(reader.folder)/\(RunLayout.doneFile)", "counts differ from records")
    }
    let lines = Array(records.map { $0.line + "\n" }.joined().utf8)
    if try lines != files.read(file, limit: ShardReader.textLimit) {
      add(file, "is not written as triptych writes it")
    }
    let masks = Set(records.compactMap(\.mask))
    for listed in done.files
    where listed.path.hasPrefix("\(RunLayout.maskFolder)/") && !masks.contains(listed.path) {
      add("\(reader.folder)/\(listed.path)", "no record has this mask")
    }
    try checkDecisions(records, file)
    for record in records { try checkFiles(of: record, in: reader.folder) }
  }

  /// Seeds, classes and reasons, which follow from something else.
  private mutating func checkDecisions(_ records: [SampleRecord], _ file: String) throws {
    var accepted: [PictureHash] = []
    let names = facts.classes.map { table in
      Dictionary(uniqueKeysWithValues: table.entries.map { ($0.id, $0.name) })
    }
    for record in records {
      let place = "\(file), sample \(record.index)"
      checkSeed(record.seed, record.index, record.attempt, place)
      for attempt in record.rejectedAttempts {
        checkSeed(attempt.seed, record.index, attempt.attempt, place)
        check(
          attempt.reasons, scores: attempt.scores, entities: attempt.entities, accepted,
          "\(place), attempt \(attempt.attempt)")
      }
      check(
        record.reasons, scores: record.scores, entities: record.entities, accepted, place)
      if let rules = facts.rules, record.attempt >= rules.attempts {
        add(place, "attempt \(record.attempt), but the run's rules allow \(rules.attempts)")
      }
      if record.isAccepted { accepted.append(record.scores.hash) }
      guard let names else { continue }
      for entity in record.entities + record.rejectedAttempts.flatMap(\.entities)
      where names[entity.classID] != entity.name {
        add(place, "\"\(entity.name)\" with the id \(entity.classID) is not in classes.tsv")
      }
    }
  }

  private mutating func checkSeed(_ seed: UInt64, _ index: Int, _ attempt: Int, _ place: String) {
    guard let seedRule, let run = facts.runSeed else { return }
    let expected = seedRule(run, index, attempt)
    if seed != expected { add(place, "the seed is \(seed), attempt \(attempt) has \(expected)") }
  }

  private mutating func check(
    _ reasons: [String], scores: SampleRecord.Scores, entities: [SampleRecord.Entity],
    _ accepted: [PictureHash], _ place: String
  ) {
    guard let rules = facts.rules else { return }
    let expected = rules.reasons(scores: scores, entities: entities, acceptedHashes: accepted)
    guard reasons != expected else { return }
    func shown(_ reasons: [String]) -> String {
      reasons.isEmpty ? "none" : reasons.joined(separator: ", ")
    }
    add(place, "its reasons are \(shown(reasons)), the run's rules give \(shown(expected))")
  }
}
