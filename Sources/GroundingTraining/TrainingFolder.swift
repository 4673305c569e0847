import CanonicalJSON
import DatasetFormat
import Generation

/// The folder of a training.
///
/// training.json says what is trained, state.safetensors is what it goes on from, train.jsonl what happened, weights and
/// split.tsv what came of it. A file is there whole or not at all.
final class TrainingFolder {
  static let configurationFile = "training.json"
  static let stateFile = "state.safetensors"
  static let weightsFile = "weights.safetensors"
  static let splitFile = "split.tsv"
  /// What the names of files end with that are not whole yet.
  static let newSuffix = ".new"
  private static let lockFile = "lock"
  private static let configurationLimit = 64 << 20

  let files: any FileSystem
  private var lock: Int32?

  /// Makes the folder, or goes on with it.
  ///
  /// - Throws: `DatasetError`: `lockHeld`, `configurationDiffers` with the keys, `cannotCreate`, `io`, `diskFull`.
  init(path: String, configuration: JSONValue) throws {
    files = try LocalFileSystem(root: path, creating: true)
    let text = Array(configuration.canonicalText.utf8)
    let name = Self.configurationFile
    let isThere = try files.status(name) != nil
    if !isThere {
      let others = [Self.stateFile, Self.weightsFile, TrainingLog.file]
      if let other = try others.first(where: { try files.status($0) != nil }) {
        throw DatasetError(
          .missing, path: files.shown(name),
          "not there, though \(other) is; put it back or choose another folder")
      }
    } else {
      let found = try files.read(name, limit: Self.configurationLimit)
      guard found == text else {
        throw DatasetError.configuration(
          found, differsFrom: configuration, path: files.shown(name), in: "the folder")
      }
    }
    switch try files.acquireLock(Self.lockFile, exclusively: true) {
    case .acquired(let lock): self.lock = lock
    case .held(let process):
      throw DatasetError(
        .lockHeld, path: path,
        "in use by \(process.map { "process \($0)" } ?? "another process"); wait until it ends, then give the same "
          + "command again")
    }
    // What a kill left half written: under names of our own, so that nobody else's files go.
    let ours = [name, Self.splitFile, TrainingLog.file].map { $0 + Self.newSuffix }
    for left in try FileAccess.list(path, hidden: true)
    where ours.contains(left) || left.hasPrefix(".triptych-") && left.hasSuffix(".tmp") {
      try files.removeFile(left)
    }
    if !isThere { try replace(name, with: text) }
  }

  deinit { giveBackLock() }

  /// Whether a file is there.
  func has(_ name: String) throws -> Bool { try files.status(name) != nil }

  /// A file's path.
  func path(_ name: String) -> String { files.shown(name) }

  /// Writes the table of what was seen.
  func writeSplit(_ classes: TrainingClasses, _ tally: TrainingLog.Tally) throws {
    var text = "# name\tsplit\tpictures that show it\tpictures that were asked for it in vain\n"
    for (id, named) in classes.all {
      text +=
        "\(named.name)\t\(named.split.rawValue)\t\(tally.shown[id] ?? 0)\t\(tally.absent[id] ?? 0)\n"
    }
    try replace(Self.splitFile, with: Array(text.utf8))
  }

  private func replace(_ name: String, with bytes: [UInt8]) throws {
    try files.replace(name, with: bytes, temporary: name + Self.newSuffix)
  }

  /// Ends the work.
  func giveBackLock() {
    guard let lock else { return }
    files.releaseLock(lock, path: Self.lockFile, removing: true)
    self.lock = nil
  }
}
