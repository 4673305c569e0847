import DatasetFormat
import Imaging

// What several layouts ask of the plan.
extension ExportPlan {
  /// Refuses more classes than a mask of 8 bits holds, for layouts whose loaders read no others.
  ///
  /// - Throws: ``ExportError`` `malformed`.
  func checkEightBits(for layout: String) throws {
    guard categories.count > LabelMask.highestEightBitID else { return }
    throw ExportError(
      .malformed, RunLayout.classFile,
      "\(categories.count) classes; \(layout) masks have 8 bits and hold at most "
        + "\(LabelMask.highestEightBitID); export coco, imagefolder, parquet or webdataset instead")
  }

  /// The splits that hold a sample.
  var filledSplits: [DatasetSplit] { options.shares.used.filter { count(of: $0) > 0 } }

  /// A name for the background that no class has.
  var backgroundName: String {
    let names = Set(categories.map(\.name))
    var name = "background"
    while names.contains(name) { name += "_" }
    return name
  }

  /// What columns of masks and instances hold, for the card.
  var maskColumns: String {
    let bits = maskDepth == .sixteen ? "16 bits, 65535" : "8 bits, 255"
    return """
      A mask is a grey PNG of \(bits) being ignored: 0 is the background, 1 to
      \(categories.count) are the classes below. An instance picture is grey, too: 1 upward are the instances, 255 is
      ignored; an instance's class is what the mask has at its pixels.
      """
  }
}
