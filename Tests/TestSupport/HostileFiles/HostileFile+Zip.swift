extension HostileFile {
  private static let pickleBytes = Pickled.proto + state([]) + Pickled.stop

  /// A sound archive, changed.
  private static func archive(
    _ name: String, _ says: String, _ change: @escaping @Sendable (inout ZipArchive) -> Void
  ) -> HostileFile {
    HostileFile("zip-" + name, says) {
      var archive = ZipArchive([
        ("x/data.pkl", pickleBytes), ("x/data/0", [UInt8](repeating: 0, count: 48)),
      ])
      change(&archive)
      return archive.bytes
    }
  }

  /// A sound archive with other entries.
  private static func entries(
    _ name: String, _ says: String, _ more: [(String, [UInt8])], isComplete: Bool = false
  ) -> HostileFile {
    HostileFile("zip-" + name, says) {
      let sound = [("x/data.pkl", pickleBytes), ("x/data/0", [UInt8](repeating: 0, count: 48))]
      return zipArchive(isComplete ? more : sound + more)
    }
  }

  /// A sound archive whose second entry has an extra field in the directory, and sizes and place as said.
  private static func extra(
    _ name: String, _ says: String, _ field: [UInt8], _ numbers: [(Int, Int)]
  ) -> HostileFile {
    archive("zip64-" + name, says) {
      let entry = $0.centrals[1]
      $0.set(entry + 30, field.count)
      for (place, number) in numbers { $0.set(entry + place, number, 4) }
      let length = $0.end - $0.centrals[0] + field.count
      $0.set($0.end + 12, length, 4)
      $0.insertBeforeEnd(field)
    }
  }

  /// A sound archive with a zip64 record that says what `values` makes of the truth.
  private static func record(
    _ name: String, _ says: String, saturated: Bool = true,
    _ values: @escaping @Sendable (_ length: Int, _ start: Int, _ end: Int) -> [UInt8]
  ) -> HostileFile {
    archive("zip64-" + name, says) {
      let (start, end) = ($0.centrals[0], $0.end)
      if saturated {
        for (place, size) in [(8, 2), (10, 2), (12, 4), (16, 4)] { $0.set(end + place, -1, size) }
      }
      $0.insertBeforeEnd(values(end - start, start, end))
    }
  }

  /// Broken rules of the archive.
  public static let zip: [HostileFile] = ends + headers + names + zip64 + contents

  private static let ends: [HostileFile] = [
    archive("no-end-record", "without its directory at the end") { $0.bytes.removeLast(22) },
    archive("cut-in-half", "without its directory at the end") {
      $0.bytes.removeLast($0.bytes.count / 2)
    },
    archive("bytes-after-the-end", "without its directory at the end") { $0.bytes += [0, 0] },
    archive("two-end-records", "two directories") {
      $0.set($0.end + 20, 22)
      $0.bytes += ZipArchive.endRecord(2, $0.end - $0.centrals[0], $0.centrals[0])
    },
    archive("directory-beyond-the-file", "what follows it begins at byte") {
      $0.set($0.end + 16, 0xFFFF_FF00, 4)
    },
    archive("directory-cut", "what follows it begins at byte") {
      $0.bytes.removeSubrange($0.end - 10..<$0.end)
    },
    archive("directory-cut-and-length-too", "more are needed") {
      $0.bytes.removeSubrange($0.end - 10..<$0.end)
      $0.set($0.end - 10 + 12, $0.end - 10 - $0.centrals[0], 4)
    },
    archive("gap-before-the-end-record", "what follows it begins at byte") {
      $0.insertBeforeEnd([1, 2, 3])
    },
    archive("junk-in-front", "what follows it begins at byte") {
      $0.bytes = [0x50, 0x4B] + $0.bytes
    },
    archive("too-many-counted", "more are needed") {
      $0.set($0.end + 8, 9)
      $0.set($0.end + 10, 9)
    },
    archive("too-few-counted", "bytes behind its last entry") {
      $0.set($0.end + 8, 1)
      $0.set($0.end + 10, 1)
    },
    archive("counts-disagree", "spread over several files") { $0.set($0.end + 8, 1) },
    archive("on-another-disk", "spread over several files") { $0.set($0.end + 4, 1) },
    archive("entry-on-another-disk", "spread over several files") {
      $0.set($0.centrals[1] + 34, 1)
    },
    archive("a-hundred-thousand-claimed", "more are needed") {
      let (start, length) = ($0.centrals[0], $0.end - $0.centrals[0])
      for (place, size) in [(8, 2), (10, 2)] { $0.set($0.end + place, -1, size) }
      $0.insertBeforeEnd(ZipArchive.zip64Records(100_000, length, start, at: $0.end))
    },
  ]

  private static let headers: [HostileFile] = [
    archive("no-signature-in-the-directory", "has no signature") { $0.set($0.centrals[1], 0) },
    archive("no-signature-at-the-entry", "header at byte 0 has no signature") { $0.set(2, 0) },
    archive("name-differs", "another name than the directory says") { $0.bytes[30] = 0x79 },
    archive("name-length-differs", "another name than the directory says") { $0.set(26, 9) },
    archive("size-differs", "another size than the directory says") { $0.set(22, 1, 4) },
    archive("stored-size-differs", "another size than the directory says") { $0.set(18, 1, 4) },
    archive("method-differs", "another method than the directory says") { $0.set(8, 8) },
    archive("flags-differ", "has other flags") { $0.set(6, 0x800) },
    archive("deflated", "compressed or encrypted") {
      $0.set(8, 8)
      $0.set($0.centrals[0] + 10, 8)
    },
    archive("bomb", "compressed or encrypted") {
      $0.set($0.centrals[1] + 10, 8)
      $0.set($0.centrals[1] + 24, 0xFFFF_FFFE, 4)
    },
    archive("stored-and-larger-than-stored", "compressed or encrypted") {
      $0.set($0.centrals[1] + 24, 4096, 4)
    },
    archive("encrypted", "compressed or encrypted") { $0.set($0.centrals[0] + 8, 1) },
    archive("strongly-encrypted", "compressed or encrypted") { $0.set($0.centrals[0] + 8, 0x41) },
    archive("headers-masked", "compressed or encrypted") { $0.set($0.centrals[0] + 8, 0x2000) },
    archive("extra-field-beyond-the-file", "leaves no room") { $0.set(28, 0xFFFF) },
    archive("entry-beyond-the-file", "the entries end at") {
      $0.set($0.centrals[1] + 42, 0x7FFF_FFFF, 4)
    },
    archive("entry-in-the-directory", "is cut off") {
      $0.set($0.centrals[1] + 42, $0.centrals[0], 4)
    },
    archive("longer-than-the-file", "the entries end at") {
      for place in [20, 24] { $0.set($0.centrals[1] + place, 0x7FFF_FFFF, 4) }
    },
    // A whole entry inside another's data.
    HostileFile("zip-entry-in-an-entry", "overlaps \"x/data.pkl\"") {
      let inner = ZipArchive([("x/data/0", [UInt8](repeating: 0, count: 48))])
      let hidden = Array(inner.bytes[..<inner.centrals[0]])
      var outer = ZipArchive([
        ("x/data.pkl", pickleBytes + hidden), ("x/data/0", [UInt8](repeating: 0, count: 48)),
      ])
      outer.set(outer.centrals[1] + 42, 30 + 10 + pickleBytes.count, 4)
      return outer.bytes
    },
    // One entry's data runs on over the next.
    archive("overlapping-entries", "overlaps \"x/data.pkl\"") {
      let size = $0.locals[1] - 40 + 4
      for place in [18, 22, $0.centrals[0] + 20, $0.centrals[0] + 24] { $0.set(place, size, 4) }
    },
  ]

  private static let names: [HostileFile] = [
    entries("name-twice", "two zip entries have this name", [("x/data/0", [1])]),
    entries("name-goes-up", "no path below a folder", [("x/../../etc/passwd", [1])]),
    entries("name-absolute", "no path below a folder", [("/etc/passwd", [1])]),
    entries("name-with-backslash", "no path below a folder", [("x\\data\\1", [1])]),
    entries("name-with-zero-byte", "no path below a folder", [("x/data/1\u{0}.txt", [1])]),
    entries("name-with-line-break", "no path below a folder", [("x/data/1\ntriptych: done", [1])]),
    entries("name-with-dot", "no path below a folder", [("x/./data/1", [1])]),
    entries("name-with-double-slash", "no path below a folder", [("x//data/1", [1])]),
    entries("name-empty", "no path below a folder", [("", [1])]),
    archive("name-not-utf8", "is not UTF-8") {
      $0.bytes[$0.locals[1] + 30] = 0xFF
      $0.bytes[$0.centrals[1] + 46] = 0xFF
    },
  ]

  private static let zip64: [HostileFile] = [
    extra("field-missing", "missing or too short", [], [(20, 0xFFFF_FFFF), (24, 0xFFFF_FFFF)]),
    extra(
      "field-short", "missing or too short", [1, 0, 4, 0, 1, 2, 3, 4],
      [(20, 0xFFFF_FFFF), (24, 0xFFFF_FFFF)]),
    extra(
      "field-of-one-size", "missing or too short", [1, 0, 8, 0] + ZipArchive.little(48, 8),
      [(20, 0xFFFF_FFFF), (24, 0xFFFF_FFFF)]),
    extra(
      "field-beyond-the-extra", "missing or too short", [1, 0, 99, 0] + ZipArchive.little(48, 8),
      [(24, 0xFFFF_FFFF)]),
    extra(
      "size-huge", "the entries end at",
      [1, 0, 16, 0] + ZipArchive.little(Int.max, 8) + ZipArchive.little(Int.max, 8),
      [(20, 0xFFFF_FFFF), (24, 0xFFFF_FFFF)]),
    extra(
      "offset-overflows", "the entries end at", [1, 0, 8, 0] + ZipArchive.little(-1, 8),
      [(42, 0xFFFF_FFFF)]),
    extra(
      "sizes-contradict", "compressed or encrypted", [1, 0, 8, 0] + ZipArchive.little(49, 8),
      [(24, 0xFFFF_FFFF)]),
    record("locator-beyond-the-file", "zip64 record should lie at byte") { length, start, _ in
      ZipArchive.zip64Records(2, length, start, at: Int.max)
    },
    record("no-record-where-it-should-be", "there is no zip64 record at byte 0") {
      length, start, _ in
      ZipArchive.zip64Records(2, length, start, at: 0)
    },
    record("record-contradicts", "and by its zip64 record", saturated: false) {
      length, start, end in
      ZipArchive.zip64Records(3, length, start, at: end)
    },
    record("record-overflows", "what follows it begins at") { _, start, end in
      ZipArchive.zip64Records(2, -1, start, at: end)
    },
    record("entries-without-end", "are read") { length, start, end in
      ZipArchive.zip64Records(Int.max, length, start, at: end)
    },
    // A locator in a file that is shorter than the record it speaks of.
    HostileFile("zip-zip64-tiny", "zip64 record should lie at byte") {
      Array(ZipArchive.zip64Records(0, 0, 0, at: 0)[56...]) + ZipArchive.endRecord(0, 0, 0)
    },
  ]

  private static let contents: [HostileFile] = [
    entries("empty", "0 entries FOLDER/data.pkl", [], isComplete: true),
    entries("no-pickle", "0 entries FOLDER/data.pkl", [("x/version", [0x33])], isComplete: true),
    entries("pickle-at-the-top", "0 entries", [("data.pkl", pickleBytes)], isComplete: true),
    entries("pickle-too-deep", "0 entries", [("x/y/data.pkl", pickleBytes)], isComplete: true),
    entries("two-pickles", "2 entries", [("y/data.pkl", pickleBytes)]),
    entries("storage-missing", "no storage \"0\"", [("x/data.pkl", pickleBytes)], isComplete: true),
    entries("big-endian", "the byte order is \"big\"", [("x/byteorder", Array("big".utf8))]),
    entries("byte-order-junk", "the byte order is", [("x/byteorder", [0xFF, 0x0A, 0])]),
    entries("byte-order-empty", "the byte order is \"\"", [("x/byteorder", [])]),
    entries("version-of-the-future", "version is \"11\"", [("x/version", Array("11\n".utf8))]),
    entries("version-junk", "version is \"three\"", [("x/version", Array("three".utf8))]),
  ]
}
