import Generation

/// The pictures in a pack's folder, by their names alone.
struct PackFiles {
  /// A cut-out.
  struct Cutout {
    /// From the pack's folder.
    var path: String
    /// The category's folder, with spaces for underscores.
    var category: String
    /// The thing's folder; for a picture that lies right in its category, its own name.
    var thing: String
  }

  /// A place.
  struct Place {
    /// From the pack's folder.
    var path: String
    /// The folder it lies in, with spaces for underscores; nil where it lies right in backgrounds/.
    var words: String?
  }

  static let cutoutFolder = "cutouts"
  static let placeFolder = "backgrounds"
  /// Endings that promise a picture; anything else that lies in a pack is none of its pictures.
  private static let pictureEndings: Set<String> = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic",
  ]

  private(set) var cutouts: [Cutout] = []
  private(set) var places: [Place] = []
  private let folder: String

  /// Lists a folder.
  ///
  /// - Throws: `GenerationError` where a folder is missing or cannot be listed, or a picture is of a kind that cannot be
  ///   used.
  init(folder: String) throws {
    self.folder = folder
    for name in [Self.cutoutFolder, Self.placeFolder]
    where !FileAccess.isFolder("\(folder)/\(name)") {
      throw GenerationError(
        .missingInput, "\(folder)/\(name)", "is no folder; a pack has cutouts/ and backgrounds/")
    }
    try listCutouts()
    try listPlaces()
  }

  private mutating func listCutouts() throws {
    var owners: [String: String] = [:]
    for name in try FileAccess.list("\(folder)/\(Self.cutoutFolder)") {
      let path = "\(Self.cutoutFolder)/\(name)"
      guard FileAccess.isFolder("\(folder)/\(path)") else {
        guard Self.ending(name) == nil else {
          throw fault(path, "lies in no category; expected cutouts/CATEGORY/THING/VIEW.png")
        }
        continue
      }
      let category = Self.words(name)
      if let other = owners.updateValue(name, forKey: category) {
        throw fault(path, "is the same category as \(other); put both in one folder")
      }
      let before = cutouts.count
      try listCategory(path, category)
      if cutouts.count == before { throw fault(path, "is a category without cut-outs; remove it") }
    }
  }

  private mutating func listCategory(_ path: String, _ category: String) throws {
    for name in try FileAccess.list("\(folder)/\(path)") {
      let inner = "\(path)/\(name)"
      guard FileAccess.isFolder("\(folder)/\(inner)") else {
        try add(inner, category: category, thing: name)
        continue
      }
      for view in try FileAccess.list("\(folder)/\(inner)") {
        try add("\(inner)/\(view)", category: category, thing: name)
      }
    }
  }

  private mutating func add(_ path: String, category: String, thing: String) throws {
    guard let ending = Self.ending(path) else { return }
    guard ending == "png" else { throw fault(path, "is no PNG; a cut-out needs alpha") }
    cutouts.append(Cutout(path: path, category: category, thing: thing))
  }

  private mutating func listPlaces() throws {
    for name in try FileAccess.list("\(folder)/\(Self.placeFolder)") {
      let path = "\(Self.placeFolder)/\(name)"
      guard FileAccess.isFolder("\(folder)/\(path)") else {
        try add(path, words: nil)
        continue
      }
      for inner in try FileAccess.list("\(folder)/\(path)") {
        try add("\(path)/\(inner)", words: Self.words(name))
      }
    }
  }

  private mutating func add(_ path: String, words: String?) throws {
    guard let ending = Self.ending(path) else { return }
    guard ["png", "jpg", "jpeg"].contains(ending) else {
      throw fault(path, "is neither a PNG nor a JPEG; a background must be one of the two")
    }
    places.append(Place(path: path, words: words))
  }

  private func fault(_ path: String, _ message: String) -> GenerationError {
    GenerationError(.malformed, "\(folder)/\(path)", message)
  }

  private static func words(_ name: String) -> String {
    String(name.map { $0 == "_" ? " " : $0 })
  }

  /// The ending of a picture's name, in lower case; nil where it is no picture's.
  private static func ending(_ name: String) -> String? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let ending = name[name.index(after: dot)...].lowercased()
    return pictureEndings.contains(ending) ? ending : nil
  }
}
