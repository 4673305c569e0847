import DatasetFormat

/// A file that is written piece by piece; it counts once it is closed.
package final class ExportFile {
  private let files: any FileSystem
  private let path: String
  private var handle: Int32?
  private var pending: [UInt8] = []
  private var size = 0
  private var hasher = ContentHasher()
  private let finished: (_ size: Int, _ sha256: [UInt8]) -> Void

  /// Bytes that are written at once.
  private static let blockSize = 1 << 16

  init(
    files: any FileSystem, path: String, handle: Int32,
    finished: @escaping (_ size: Int, _ sha256: [UInt8]) -> Void
  ) {
    self.files = files
    self.path = path
    self.handle = handle
    self.finished = finished
  }

  deinit {
    if let handle { _ = Result { try files.close(handle, path: path) } }
  }

  /// Adds text.
  package func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Adds bytes.
  package func write(_ bytes: [UInt8]) throws {
    pending += bytes
    if pending.count >= Self.blockSize { try flush() }
  }

  /// Ends the file; ``ExportFolder/commit()`` brings it to the disk with all others.
  package func close() throws {
    try flush()
    guard let handle else { return }
    self.handle = nil
    try files.close(handle, path: path)
    finished(size, hasher.digest)
  }

  private func flush() throws {
    guard let handle else { preconditionFailure("\(path) is closed") }
    guard !pending.isEmpty else { return }
    hasher.update(pending)
    size += pending.count
    try files.write(pending, to: handle, path: path)
    pending.removeAll(keepingCapacity: true)
  }
}
