/// How much of a mask each id covers, in how many parts, and whether at the border.
///
/// Parts are connected over edges of pixels (4 neighbours). Background and ignored pixels are not counted as ids.
public struct MaskStatistics: Sendable, Equatable {
  /// What is known of an id.
  public struct Region: Sendable, Equatable {
    /// The pixels with the id.
    public var pixels = 0
    /// Connected parts.
    public var parts = 0
    /// Whether a pixel lies in the first or last row or column.
    public var touchesBorder = false

    /// The region of an id that does not occur.
    public init() {}
  }

  /// The regions by id; ids that do not occur have none.
  public let regions: [UInt16: Region]
  /// The pixels to be ignored.
  public let ignoredPixels: Int

  /// Looks at all pixels once.
  public init(_ mask: LabelMask) {
    var regions: [UInt16: Region] = [:]
    var ignored = 0
    var isSeen = [Bool](repeating: false, count: mask.ids.count)
    var open: [Int] = []
    for start in mask.ids.indices where !isSeen[start] {
      let id = mask.ids[start]
      if id == LabelMask.ignored { ignored += 1 }
      if id == LabelMask.ignored || id == LabelMask.background { continue }
      var region = regions[id] ?? Region()
      region.parts += 1
      isSeen[start] = true
      open.append(start)
      while let position = open.popLast() {
        region.pixels += 1
        let (y, x) = position.quotientAndRemainder(dividingBy: mask.width)
        let isInside = x > 0 && y > 0 && x < mask.width - 1 && y < mask.height - 1
        if !isInside { region.touchesBorder = true }
        func visit(_ next: Int) {
          if mask.ids[next] == id && !isSeen[next] {
            isSeen[next] = true
            open.append(next)
          }
        }
        if x > 0 { visit(position - 1) }
        if x < mask.width - 1 { visit(position + 1) }
        if y > 0 { visit(position - mask.width) }
        if y < mask.height - 1 { visit(position + mask.width) }
      }
      regions[id] = region
    }
    self.regions = regions
    ignoredPixels = ignored
  }
}
