import CanonicalJSON

/// The finished samples of an open shard, so that a kill loses at most the one in work.
///
/// A sample is its picture, its mask and, written last, an entry with the record and the hashes of both; only with
/// an entry that fits its files a sample counts.
struct ShardJournal {
  /// A finished sample.
  struct Entry: Equatable {
    var record: SampleRecord
    var image: DoneRecord.File
    var mask: DoneRecord.File?
  }

  let files: any FileSystem
  let folder: String

  /// Makes the journal where it is not there, keeps what is whole and removes the rest.
  func load(_ indices: Range<Int>) throws -> [Int: Entry] {
    if try files.makeDirectory(folder) {
      try files.synchronizeDirectory(RunLayout.partialFolder)
      return [:]
    }
    let names = try files.list(folder)
    var entries: [Int: Entry] = [:]
    var kept = Set<String>()
    for index in indices where names.contains(entryName(index)) {
      guard let entry = try entry(index) else { continue }
      entries[index] = entry
      kept.insert(entryName(index))
      kept.insert(imageName(index))
      if entry.mask != nil { kept.insert(maskName(index)) }
    }
    for name in names where !kept.contains(name) { try files.removeTree("\(folder)/\(name)") }
    return entries
  }

  /// Adds a sample; it counts when this returns.
  func add(_ record: SampleRecord, image: [UInt8], mask: [UInt8]?) throws -> Entry {
    let index = record.index
    let entry = Entry(
      record: record, image: DoneRecord.File(path: record.image, bytes: image),
      mask: mask.map { DoneRecord.File(path: RunLayout.maskPath(index), bytes: $0) })
    try put(image, imageName(index))
    if let mask { try put(mask, maskName(index)) }
    try put(Array(json(entry).canonicalText.utf8), entryName(index))
    try files.synchronizeDirectory(folder)
    return entry
  }

  func imagePath(_ index: Int) -> String { "\(folder)/\(imageName(index))" }
  func maskPath(_ index: Int) -> String { "\(folder)/\(maskName(index))" }

  private func put(_ bytes: [UInt8], _ name: String) throws {
    try files.replace(
      "\(folder)/\(name)", with: bytes,
      temporary: "\(folder)/\(name).\(RunLayout.randomSuffix()).temporary")
  }

  private func imageName(_ index: Int) -> String { "\(RunLayout.sampleName(index)).image.png" }
  private func maskName(_ index: Int) -> String { "\(RunLayout.sampleName(index)).mask.png" }
  private func entryName(_ index: Int) -> String { "\(RunLayout.sampleName(index)).json" }

  /// The entry of a sample; nil where it or its files are not whole, so that the sample is made again.
  private func entry(_ index: Int) throws -> Entry? {
    do {
      let path = "\(folder)/\(entryName(index))"
      let bytes = try files.read(path, limit: ShardReader.textLimit)
      let fields = try RecordFields(
        JSONValue.parse(bytes), path: files.shown(path), what: "entry",
        keys: ["record", "image", "mask"])
      let record = try SampleRecord(json: fields.value("record"), path: files.shown(path))
      let image = try file(fields, "image", path: record.image)
      let mask = try record.mask.map { try file(fields, "mask", path: $0) }
      let hasMask = try fields.value("mask") != .null
      guard record.index == index, record.hasMask == hasMask else { return nil }
      guard try isWhole(imagePath(index), image) else { return nil }
      if let mask, try !isWhole(maskPath(index), mask) { return nil }
      return Entry(record: record, image: image, mask: mask)
    } catch is JSONError {
      return nil
    } catch let error as DatasetError where error.code == .malformed || error.isWrongPlace {
      return nil
    }
  }

  private func isWhole(_ path: String, _ file: DoneRecord.File) throws -> Bool {
    DoneRecord.File(path: file.path, bytes: try files.read(path, limit: ShardReader.imageLimit))
      == file
  }

  private func json(_ entry: Entry) -> JSONValue {
    func json(_ file: DoneRecord.File) -> JSONValue {
      ["size": .integer(Int64(file.size)), "sha256": .string(file.sha256)]
    }
    return [
      "record": entry.record.json, "image": json(entry.image),
      "mask": entry.mask.map(json) ?? .null,
    ]
  }

  private func file(_ fields: RecordFields, _ key: String, path: String) throws -> DoneRecord.File {
    let file = try RecordFields(
      fields.value(key), path: fields.path, what: key, keys: ["size", "sha256"])
    return DoneRecord.File(
      path: path, size: try file.integer("size", in: 0...Int.max), sha256: try file.hash("sha256"))
  }
}
