import CanonicalJSON
import DatasetFormat
import Generation

/// What pack.json says: which files there are, what they show, what is held out.
struct PackDescription {
  private(set) var categories: [String]
  private(set) var cutouts: [WorldPack.Cutout] = []
  private(set) var places: [WorldPack.Place] = []
  private(set) var licence: String?
  private let path: String

  /// Reads pack.json; keys that are not known are left alone.
  ///
  /// - Throws: `DatasetError` `malformed` with the key that is missing or wrong.
  init(bytes: [UInt8], path: String) throws {
    self.path = path
    let fields = try RecordFields(
      bytes: bytes, path: path, what: "pack", keys: ["categories", "cutouts", "backgrounds"],
      ignoresOthers: true)
    categories = try fields.strings("categories")
    let positions = Dictionary(
      categories.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    guard positions.count == categories.count else {
      throw try fields.fault("categories", expected: "each name once")
    }
    if fields.json["licence"] != nil { licence = try fields.string("licence") }
    for (number, element) in try fields.array("cutouts").enumerated() {
      let entry = try RecordFields(
        element, path: path, what: "cut-out \(number)",
        keys: ["file", "category", "thing", "held_out"], ignoresOthers: true)
      let name = try entry.string("category")
      guard let category = positions[name] else {
        throw try entry.fault("category", expected: "one of \"categories\"")
      }
      let thing = try entry.value("thing")
      guard let thing = thing.string ?? thing.integer.map(String.init) else {
        throw try entry.fault("thing", expected: "a whole number or a string")
      }
      cutouts.append(
        WorldPack.Cutout(
          file: try entry.string("file"), category: category, thing: thing,
          isHeldOut: try entry.bool("held_out")))
    }
    for (number, element) in try fields.array("backgrounds").enumerated() {
      let entry = try RecordFields(
        element, path: path, what: "background \(number)", keys: ["file", "held_out"],
        ignoresOthers: true)
      let saysNothing = element["scene"]?.isNull ?? true
      places.append(
        WorldPack.Place(
          file: try entry.string("file"), words: saysNothing ? nil : try entry.string("scene"),
          isHeldOut: try entry.bool("held_out")))
    }
  }

  /// Refuses a description of other files than those that are there.
  ///
  /// - Throws: `DatasetError` `malformed` naming the file.
  func check(against files: PackFiles) throws {
    let folders = Dictionary(
      uniqueKeysWithValues: files.cutouts.map { ($0.path, $0.category) })
    for cutout in cutouts {
      guard let folder = folders[cutout.file], folder != categories[cutout.category] else {
        continue
      }
      throw DatasetError(
        .malformed, path: path,
        "\(shown(cutout.file)) is \"\(categories[cutout.category])\" here, but lies in the folder of "
          + "\"\(folder)\"")
    }
    try check(cutouts.map(\.file), there: files.cutouts.map(\.path))
    try check(places.map(\.file), there: files.places.map(\.path))
  }

  private func check(_ listed: [String], there: [String]) throws {
    let known = Set(there)
    var seen: Set<String> = []
    for file in listed {
      guard known.contains(file) else {
        throw DatasetError(
          .malformed, path: path, "lists \(shown(file)), which is not there; build the pack again")
      }
      guard seen.insert(file).inserted else {
        throw DatasetError(.malformed, path: path, "lists \(shown(file)) twice")
      }
    }
    if let file = there.first(where: { !seen.contains($0) }) {
      throw DatasetError(
        .malformed, path: path,
        "does not list \(shown(file)), which is there; add it, or remove one of the two")
    }
  }

  private func shown(_ file: String) -> String { JSONValue.string(String(file.prefix(120))).text }
}
