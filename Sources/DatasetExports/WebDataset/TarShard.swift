/// A tar archive that is written member by member.
final class TarShard {
  private let file: ExportFile
  /// Bytes so far.
  private(set) var size = 0
  /// Samples so far.
  var samples = 0

  init(_ file: ExportFile) { self.file = file }

  /// Adds a regular file.
  func add(_ name: String, _ bytes: [UInt8]) throws {
    let header = TarHeader(name: name, size: bytes.count)
    try write(header.bytes)
    try write(bytes)
    try pad(to: TarHeader.blockSize)
  }

  /// Ends the archive: two empty blocks, then what makes it whole records.
  func close() throws {
    try write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    try pad(to: TarHeader.recordSize)
    try file.close()
  }

  private func pad(to unit: Int) throws {
    try write([UInt8](repeating: 0, count: (unit - size % unit) % unit))
  }

  private func write(_ bytes: [UInt8]) throws {
    try file.write(bytes)
    size += bytes.count
  }
}
