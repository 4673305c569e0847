import Generation

/// What a pack holds, by the names in its folder and by pack.json where there is one.
struct PackIndex {
  private(set) var categories: [String] = []
  private(set) var cutouts: [WorldPack.Cutout] = []
  private(set) var places: [WorldPack.Place] = []
  private(set) var licence: String?
  /// Whether there is a pack.json.
  let isDescribed: Bool

  /// - Throws: `GenerationError` or `DatasetError` naming what is missing or wrong.
  init(folder: String) throws {
    let files = try PackFiles(folder: folder)
    isDescribed = try FileAccess.list(folder).contains(WorldPack.descriptionFile)
    if isDescribed {
      let bytes = try Self.descriptionBytes(folder)
      let description = try PackDescription(
        bytes: bytes, path: "\(folder)/\(WorldPack.descriptionFile)")
      try description.check(against: files)
      (categories, licence) = (description.categories, description.licence)
      cutouts = description.cutouts
      places = description.places
    } else {
      takeAll(files)
    }
    try check(folder)
  }

  /// The bytes of pack.json.
  static func descriptionBytes(_ folder: String) throws -> [UInt8] {
    try FileAccess.bytes(
      of: "\(folder)/\(WorldPack.descriptionFile)", limit: WorldPack.byteLimit)
  }

  /// Without pack.json: every picture there is, held out by a rule of its own.
  ///
  /// Held out are the last thing of a category of three or more, every fifth view of a thing, every fifth place, and of
  /// two to four places the last.
  private mutating func takeAll(_ files: PackFiles) {
    categories = Set(files.cutouts.map(\.category)).sorted()
    let positions = Dictionary(uniqueKeysWithValues: categories.enumerated().map { ($1, $0) })
    var things: [String: [String]] = [:]
    for file in files.cutouts where things[file.category]?.last != file.thing {
      things[file.category, default: []].append(file.thing)
    }
    var views = 0
    for (number, file) in files.cutouts.enumerated() {
      let isSame =
        number > 0 && files.cutouts[number - 1].category == file.category
        && files.cutouts[number - 1].thing == file.thing
      views = isSame ? views + 1 : 1
      let own = things[file.category] ?? []
      let isLast = own.count >= 3 && own.last == file.thing
      cutouts.append(
        WorldPack.Cutout(
          file: file.path, category: positions[file.category] ?? 0, thing: file.thing,
          isHeldOut: isLast || views % 5 == 0))
    }
    let count = files.places.count
    places = files.places.enumerated().map { number, file in
      WorldPack.Place(
        file: file.path, words: file.words,
        isHeldOut: number % 5 == 4 || (2...4 ~= count && number == count - 1))
    }
  }

  private func check(_ folder: String) throws {
    guard !cutouts.isEmpty else {
      throw GenerationError(
        .malformed, "\(folder)/\(PackFiles.cutoutFolder)",
        "holds no cut-outs; expected CATEGORY/THING/VIEW.png")
    }
    guard !places.isEmpty else {
      throw GenerationError(
        .malformed, "\(folder)/\(PackFiles.placeFolder)",
        "holds no pictures; expected photographs, PNG or JPEG")
    }
    guard cutouts.count + places.count <= WorldPack.fileLimit else {
      throw GenerationError(
        .malformed, folder,
        "holds \(cutouts.count + places.count) pictures; at most \(WorldPack.fileLimit) are read")
    }
    for name in categories {
      _ = try VocabularyClass(name: name, place: "\(folder): category \"\(name)\"")
    }
    for words in places.compactMap(\.words) where !Self.areClean(words) {
      throw GenerationError(
        .malformed, folder,
        "the place \"\(words.prefix(60))\" is empty, longer than 200 bytes or holds a control character"
      )
    }
  }

  private static func areClean(_ words: String) -> Bool {
    1...200 ~= words.utf8.count
      && words.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
  }
}
