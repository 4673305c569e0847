package import DatasetFormat

/// A data set or a gallery while it is written: in a hidden folder beside its place, which it takes once everything is on the disk.
///
/// At the place an empty folder may stand, or an earlier one of the same kind that holds nothing else; anything else is
/// refused before work begins. What a killed one left behind is put right by the next one to the same place.
package final class ExportFolder {
  /// What is written; one kind never replaces another.
  package enum Kind: String {
    /// A data set.
    case export
    /// Pages to look at.
    case gallery
  }

  private let files: any FileSystem
  private let place: ExportPath
  private let hidden: String
  private let kind: Kind
  private var lock: Int32?
  private var folders: Set<String> = []
  package private(set) var manifest: ExportManifest

  /// Begins.
  ///
  /// - Parameters:
  ///   - path: the place.
  ///   - kind: what is written.
  ///   - fileSystem: the folder around the place where it is another than the machine's.
  /// - Throws: ``ExportError`` `cannotCreate` or `usage`; `DatasetError` where the disk fails or another process writes
  ///   to the same place.
  package init(
    path: String, kind: Kind = .export, fileSystem: (any FileSystem)? = nil
  ) throws {
    self.kind = kind
    manifest = ExportManifest(kind)
    place = try ExportPath(path)
    files = try fileSystem ?? LocalFileSystem(root: place.parent, creating: true)
    hidden = ".\(place.name).\(kind.rawValue)"
    _ = try files.makeDirectory(hidden)
    guard case .acquired(let lock) = try files.acquireLock("\(hidden)/lock", exclusively: true)
    else {
      throw DatasetError(
        .lockHeld, path: files.shown(place.name),
        "another process writes to this place; wait until it ends")
    }
    self.lock = lock
    do {
      try recover()
      try checkPlace()
      _ = try files.makeDirectory(work)
    } catch {
      abandon()
      throw error
    }
  }

  deinit { abandon() }

  /// Makes a folder and those above it.
  package func makeDirectory(_ path: String) throws {
    var prefix = ""
    for name in path.split(separator: "/") {
      prefix += (prefix.isEmpty ? "" : "/") + name
      if folders.insert(prefix).inserted { _ = try files.makeDirectory("\(work)/\(prefix)") }
    }
  }

  /// Writes a file in a folder that is there.
  package func write(_ bytes: [UInt8], at path: String) throws {
    let file = try open(path)
    try file.write(bytes)
    try file.close()
  }

  /// Begins a file that is written piece by piece.
  package func open(_ path: String) throws -> ExportFile {
    ExportFile(
      files: files, path: "\(work)/\(path)", handle: try files.createFile("\(work)/\(path)")
    ) { [weak self] size, sha256 in
      self?.manifest.add(path: path, size: size, sha256: sha256)
    }
  }

  /// Brings everything to the disk and gives it its place.
  ///
  /// - Throws: `DatasetError`; what was at the place before is there again, unless the disk failed at that too.
  package func commit() throws {
    try files.synchronizeAll()
    try checkPlace()
    let isReplacing = try files.status(place.name) != nil
    if isReplacing { try files.rename(place.name, to: old) }
    do {
      try files.rename(work, to: place.name)
    } catch {
      if isReplacing { _ = Result { try files.rename(old, to: place.name) } }
      throw error
    }
    try files.synchronizeDirectory("")
    try files.removeTree(old)
    release()
  }

  /// Removes what was written.
  package func abandon() {
    guard lock != nil else { return }
    files.discard(work)
    release()
  }

  private var work: String { "\(hidden)/new" }
  private var old: String { "\(hidden)/old" }

  /// Puts right what a killed export left: the earlier one may just have left its place.
  private func recover() throws {
    try files.removeTree(work)
    guard try files.status(old) != nil else { return }
    if try files.status(place.name) == nil {
      try files.rename(old, to: place.name)
    } else {
      try files.removeTree(old)
    }
  }

  private func release() {
    guard let lock else { return }
    files.releaseLock(lock, path: "\(hidden)/lock", removing: true)
    self.lock = nil
    // It stays where the old one could not be removed; the next export tries again.
    _ = Result { try files.removeDirectory(hidden) }
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
      let listed = try ExportManifest.paths(
        in: files.read(manifest, limit: ExportManifest.limit), of: kind)
    else {
      throw ExportError(
        .cannotCreate, shown,
        "is there already and is no earlier \(kind.rawValue); remove it or choose another folder")
    }
    if let stranger = try firstStranger(in: "", listed: listed) {
      throw ExportError(
        .cannotCreate, "\(shown)/\(stranger)",
        "is no part of the \(kind.rawValue) that was made here; move it away or choose another folder"
      )
    }
  }

  /// The first file that an earlier one did not write: replacing the folder would lose it.
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
