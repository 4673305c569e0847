import Glibc

/// About how much disk a run takes, and how much is free.
public struct DiskEstimate: Sendable, Equatable {
  /// Bytes at most: pictures hardly compress, and each has its record.
  public let bytes: Int

  /// Estimates pictures of `width` x `height` pixels, with a mask of a byte a pixel each or without.
  public init(count: Int, width: Int, height: Int, hasMasks: Bool) {
    let each = (hasMasks ? 4 : 3) * width * height + (hasMasks ? 8192 : 4096)
    let (product, overflow) = each.multipliedReportingOverflow(by: count)
    bytes = overflow ? .max : product
  }

  /// Free bytes where `path` is or will be; nil where that cannot be told.
  public static func free(at path: String) -> Int? {
    var place = path.isEmpty ? "." : path
    var status = statvfs()
    while statvfs(place, &status) != 0 {
      guard errno == ENOENT, place != ".", place != "/" else { return nil }
      let parent = place.split(separator: "/").dropLast().joined(separator: "/")
      place = place.hasPrefix("/") ? "/" + parent : (parent.isEmpty ? "." : parent)
    }
    // File systems of the kernel's own have no blocks and say nothing.
    guard status.f_blocks > 0 else { return nil }
    return Int(
      clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        .partialValue)
  }

  /// Refuses a run that surely will not fit: half of what it takes at most is more than is free.
  ///
  /// A folder that is there holds a part of the run already, and is let be.
  ///
  /// - Throws: ``GenerationError`` with both figures.
  public func check(forRunAt path: String) throws {
    guard !FileAccess.isFolder(path), let free = Self.free(at: path), bytes / 2 > free else {
      return
    }
    throw GenerationError(
      .tryAgain, path,
      "the run would take up to \(MemorySize.text(bytes)) of disk, "
        + "\(MemorySize.text(free)) are free; make room or choose fewer")
  }
}
