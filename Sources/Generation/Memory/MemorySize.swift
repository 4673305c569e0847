import Glibc

/// Amounts of memory and disk.
public enum MemorySize {
  /// The machine's memory in bytes, or what the process's control group may use of it.
  public static var machine: Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let total = max(0, pages) * max(0, sysconf(Int32(_SC_PAGESIZE)))
    guard let text = FileAccess.text("/sys/fs/cgroup/memory.max"),
      let limit = Int(text.prefix { $0 != "\n" })
    else { return total }
    return min(total, limit)
  }

  /// A size as people read it.
  public static func text(_ bytes: Int) -> String {
    let units: [(Double, String)] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    for (size, unit) in units where Double(bytes) >= size {
      let value = Double(bytes) / size
      return "\(value >= 100 ? value.rounded() : (value * 10).rounded() / 10) \(unit)"
    }
    return "\(bytes) bytes"
  }

  /// Bytes as people write them: 6GiB, 4000MB, 1.5 GB, 8g, or a plain number; nil for anything else.
  ///
  /// K, M, G and T with or without B are powers of 1000, with iB powers of 1024.
  public static func bytes(_ text: String) -> Int? {
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
    guard digits.utf8.count <= 20, let number = Double(digits), number.isFinite else { return nil }
    var unit = text.dropFirst(digits.count).lowercased()[...]
    if unit.first == " " { unit = unit.dropFirst() }
    let isBinary = unit.hasSuffix("ib")
    if isBinary { unit = unit.dropLast(2) } else if unit.hasSuffix("b") { unit = unit.dropLast() }
    let power: Int
    switch unit {
    case "" where !isBinary: power = 0
    case "k": power = 1
    case "m": power = 2
    case "g": power = 3
    case "t": power = 4
    default: return nil
    }
    var bytes = number
    for _ in 0..<power { bytes *= isBinary ? 1024 : 1000 }
    return bytes >= 1 && bytes < 0x1p62 ? Int(bytes) : nil
  }
}
