import DatasetFormat

/// A data set while it is written: a hidden folder beside its place, which takes the place once everything is on the
/// disk.
///
/// At the place an empty folder may stand, or an earlier export that holds nothing else; anything else is refused
/// before work begins. What a killed export left behind is removed by the next one to the same place.
final class ExportFolder {
  private let files: any FileSystem
  private let place: ExportPath
  private let work: String
  private var lock: Int32?
  private var folders: Set<String> = []
  private(set) var manifest = ExportManifest()

  /// Begins.
  ///
  /// - Parameters:
  ///   - path: the place.
  ///   - fileSystem: the folder around the place where it is another than the machine's.
  /// - Throws: ``ExportError`` `cannotCreate` or `usage`; `DatasetError` where the disk fails or another process writes
  ///   to the same place.
  init(path: String, fileSystem: (any FileSystem)? = nil) throws {
    place = try ExportPath(path)
    files = try fileSystem ?? LocalFileSystem(root: place.parent, creating: true)
    work = "\(Self.prefix(place))\(UInt32.random(in: 0...UInt32.max)).new"
    try checkPlace()
    guard case .acquired(let lock) = try files.acquireLock(lockName, exclusively: true) else {
      throw DatasetError(
        .lockHeld, path: files.shown(place.name),
        "another process exports to this place; wait until it ends")
    }
    self.lock = lock
    do {
      for name in try files.list(".") where isLeftover(name) { try files.removeTree(name) }
      _ = try files.makeDirectory(work)
    } catch {
      abandon()
      throw error
    }
  }

  deinit { abandon() }

  /// Makes a folder and those above it.
  func makeDirectory(_ path: String) throws {
    var prefix = ""
    for name in path.split(separator: "/") {
      prefix += (prefix.isEmpty ? "" : "/") + name
      if folders.insert(prefix).inserted { _ = try files.makeDirectory("\(work)/\(prefix)") }
    }
  }

  /// Writes a file in a folder that is there.
  func write(_ bytes: [UInt8], at path: String) throws {
    let file = try open(path)
    try file.write(bytes)
    try file.close()
  }

  /// Begins a file that is written piece by piece.
  func open(_ path: String) throws -> ExportFile {
    ExportFile(
      files: files, path: "\(work)/\(path)", handle: try files.createFile("\(work)/\(path)")
    ) { [weak self] size, sha256 in
      self?.manifest.add(path: path, size: size, sha256: sha256)
    }
  }

  /// Brings everything to the disk and gives it its place.
  ///
  /// - Throws: `DatasetError`; what was at the place before is there again, unless the disk failed at that too.
  func commit() throws {
    for folder in folders { try files.synchronizeDirectory("\(work)/\(folder)") }
    try files.synchronizeDirectory(work)
    try checkPlace()
    let old = "\(Self.prefix(place))\(UInt32.random(in: 0...UInt32.max)).old"
    let isReplacing = try files.status(place.name) != nil
    if isReplacing { try files.rename(place.name, to: old) }
    do {
      try files.rename(work, to: place.name)
    } catch {
      if isReplacing { _ = Result { try files.rename(old, to: place.name) } }
      throw error
    }
    try files.synchronizeDirectory("")
    if isReplacing { try files.removeTree(old) }
    releaseLock()
  }

  /// Removes what was written.
  func abandon() {
    guard lock != nil else { return }
    files.discard(work)
    releaseLock()
  }

  private func releaseLock() {
    guard let lock else { return }
    files.releaseLock(lock, path: lockName, removing: true)
    self.lock = nil
  }

  private static func prefix(_ place: ExportPath) -> String { ".\(place.name).export-" }
  private var lockName: String { "\(Self.prefix(place))lock" }

  private func isLeftover(_ name: String) -> Bool {
    let prefix = Self.prefix(place)
    guard name.hasPrefix(prefix) else { return false }
    let rest = name.dropFirst(prefix.count).split(
      separator: ".", omittingEmptySubsequences: false)
    return rest.count == 2 && UInt32(rest[0]) != nil && ["new", "old"].contains(rest[1])
  }

  private func checkPlace() throws {
    guard let status = try files.status(place.name) else { return }
    let shown = files.shown(place.name)
    guard status.kind == .directory else {
      throw ExportError(
        .cannotCreate, shown, "is \(status.kind.rawValue), expected a folder or nothing; remove it")
    }
    let names = try files.list(place.name)
    if names.isEmpty { return }
    let manifest = "\(place.name)/\(ExportManifest.name)"
    guard names.contains(ExportManifest.name), try files.status(manifest)?.kind == .file,
      let listed = try ExportManifest.paths(in: files.read(manifest, limit: ExportManifest.limit))
    else {
      throw ExportError(
        .cannotCreate, shown,
        "is there already and is no earlier export; remove it or choose another folder")
    }
    if let stranger = try firstStranger(in: "", listed: listed) {
      throw ExportError(
        .cannotCreate, "\(shown)/\(stranger)",
        "is no part of the export that was made here; move it away or choose another folder")
    }
  }

  /// The first file that an earlier export did not write: replacing the folder would lose it.
  private func firstStranger(in folder: String, listed: Set<String>) throws -> String? {
    for name in try files.list(folder.isEmpty ? place.name : "\(place.name)/\(folder)") {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      if try files.status("\(place.name)/\(path)")?.kind == .directory {
        if let stranger = try firstStranger(in: path, listed: listed) { return stranger }
      } else if !listed.contains(path) && path != ExportManifest.name {
        return path
      }
    }
    return nil
  }
}
