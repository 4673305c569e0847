/// A zip archive of stored entries, as plainly as it can be written.
func zipArchive(_ entries: [(name: String, data: [UInt8])]) -> [UInt8] {
  func little(_ number: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
  var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
  for (name, data) in entries {
    let name = Array(name.utf8)
    let common =
      little(0, 6) + little(0, 8) + little(data.count, 4) + little(data.count, 4)
      + little(name.count, 2)
    directory += [0x50, 0x4B, 1, 2] + little(0, 2) + common + little(0, 12)
    directory += little(bytes.count, 4) + name
    bytes += [0x50, 0x4B, 3, 4] + common + little(0, 2) + name + data
  }
  let end = little(entries.count, 2) + little(entries.count, 2) + little(directory.count, 4)
  return bytes + directory + [0x50, 0x4B, 5, 6] + little(0, 4) + end + little(bytes.count, 4)
    + little(0, 2)
}
