import CanonicalJSON
import DatasetFormat

/// The data of a gallery as scripts that call a function of the page with JSON.
///
/// Scripts, because a page that is opened from a disk may load them and nothing else. No text of a run is ever a key of
/// an object or a part of the page's own markup: it is data until the page puts it into a text node.
struct GalleryScripts {
  /// Samples of a script that the list and the filters need; all of them are loaded in the background.
  static let listSize = 1000
  /// Samples of a script with everything about them; loaded when one of them is opened.
  static let detailSize = 100

  /// What samples can be sorted and filtered by, all from 0 to 1.
  static let scores: [(label: String, value: @Sendable (SampleRecord) -> Double?)] = [
    ("confidence, least", { shown($0).map(\.confidence).min() }),
    ("edge confidence, least", { shown($0).map(\.edgeConfidence).min() }),
    ("presence, least", { shown($0).map(\.presence).min() }),
    ("agreement, least", { shown($0).compactMap(\.agreement).min() }),
    ("mask area, least", { shown($0).map(\.area).min() }),
    ("mask area, most", { shown($0).map(\.area).max() }),
    ("brightness", { $0.scores.brightness }), ("contrast", { $0.scores.contrast }),
    ("clipped", { $0.scores.clipped }),
  ]

  private static func shown(_ record: SampleRecord) -> [SampleRecord.Entity] {
    record.entities.filter(\.isPresent)
  }

  private let folder: GalleryFolder
  private let positions: [String: Int]
  private var list: [JSONValue] = []
  private var details: [JSONValue] = []
  private var count = 0
  /// Which of the scores some sample has.
  private(set) var usedScores = [Bool](repeating: false, count: scores.count)

  init(_ folder: GalleryFolder, classes: ClassTable) {
    self.folder = folder
    positions = Dictionary(
      uniqueKeysWithValues: classes.entries.enumerated().map { ($1.name, $0) })
  }

  /// Adds a sample; classes are given by their place in the table.
  mutating func add(_ sample: RunContents.Sample, command: String?) throws {
    let record = sample.record
    let classes = Set(
      record.entities.filter { $0.isNamed || $0.isPresent }.compactMap { positions[$0.name] }
    ).sorted()
    let values = Self.scores.map { $0.value(record) }
    for (place, value) in values.enumerated() where value != nil { usedScores[place] = true }
    list.append([
      .integer(Int64(record.index)), .integer(Int64(record.width)), .integer(Int64(record.height)),
      .bool(record.hasMask), .string(record.prompt),
      .array(record.reasons.map { .string($0) }), .array(classes.map { .integer(Int64($0)) }),
      .array(values.map { $0.map(Self.rounded) ?? .null }),
    ])
    details.append(
      .object(
        (record.json.members ?? []) + [
          .init("shard", .integer(Int64(sample.shard))),
          .init("command", command.map { .string($0) } ?? .null),
        ]))
    count += 1
    if count % Self.detailSize == 0 { try writeDetails() }
    if count % Self.listSize == 0 { try writeList() }
  }

  /// Writes what is left.
  mutating func finish() throws {
    if !details.isEmpty { try writeDetails() }
    if !list.isEmpty { try writeList() }
  }

  /// Writes what the page needs before anything else.
  func writeRun(_ facts: [JSONValue.Member]) throws {
    try folder.write("gallery.run(" + JSONValue.object(facts).text + ");\n", at: "data/run.js")
  }

  private mutating func writeList() throws {
    try write(&list, "list", (count - 1) / Self.listSize)
  }

  private mutating func writeDetails() throws {
    try write(&details, "samples", (count - 1) / Self.detailSize)
  }

  private func write(_ values: inout [JSONValue], _ name: String, _ number: Int) throws {
    let lines = values.map(\.text).joined(separator: ",\n")
    try folder.write(
      "gallery.\(name)(\(number), [\n\(lines)\n]);\n", at: "data/\(name)-\(number).js")
    values.removeAll(keepingCapacity: true)
  }

  private static func rounded(_ value: Double) -> JSONValue {
    .number((value * 1e4).rounded() / 1e4)
  }
}
