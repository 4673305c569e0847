public import Imaging

/// How far two masks of one picture agree.
public enum MaskAgreement {
  /// Intersection over union of every class that is in either mask, 0...1, by class id.
  ///
  /// Background has none; pixels that either mask ignores do not count. A class all of whose pixels are ignored
  /// by one of them is left out.
  ///
  /// - Precondition: the masks have one size.
  public static func intersectionOverUnion(
    _ first: LabelMask, _ second: LabelMask
  ) -> [Int: Double] {
    precondition(
      first.width == second.width && first.height == second.height,
      "masks of \(first.width) x \(first.height) and \(second.width) x \(second.height)")
    var common: [UInt16: Int] = [:]
    var either: [UInt16: Int] = [:]
    for (a, b) in zip(first.ids, second.ids) {
      if a == b && a == LabelMask.background { continue }
      if a == LabelMask.ignored || b == LabelMask.ignored { continue }
      if a == b { common[a, default: 0] += 1 }
      if a != LabelMask.background { either[a, default: 0] += 1 }
      if b != LabelMask.background && b != a { either[b, default: 0] += 1 }
    }
    return Dictionary(
      uniqueKeysWithValues: either.map { id, count in
        (Int(id), Double(common[id] ?? 0) / Double(count))
      })
  }
}
