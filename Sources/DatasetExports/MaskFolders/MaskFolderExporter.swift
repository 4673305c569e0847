import DatasetFormat
import Imaging

/// Writes folders of pictures and grey masks of the same names, in mmsegmentation's or ADE20K's layout, with a fragment
/// of configuration that loads them.
///
/// - Source: what mmsegmentation's `BaseSegDataset` and `ADE20KDataset` and detectron2's `load_sem_seg` read.
final class MaskFolderExporter: DatasetExporter {
  private let plan: ExportPlan
  private let folder: ExportFolder
  private let style: MaskFolderStyle

  /// - Throws: ``ExportError`` `malformed` where there are more classes than the loaders' 8 bits hold.
  init(_ plan: ExportPlan, _ folder: ExportFolder, style: MaskFolderStyle) throws {
    try plan.checkEightBits(for: style.rawValue)
    self.plan = plan
    self.folder = folder
    self.style = style
  }

  func begin() throws {
    for split in plan.options.shares.used {
      for name in [style.images, style.masks] {
        try folder.makeDirectory("\(style.root)/\(name)/\(style.folder(split))")
      }
    }
    let fragment = MaskFolderFragment(style: style, plan: plan)
    try folder.write(Array(fragment.text.utf8), at: "\(style.root)/\(MaskFolderFragment.name)")
  }

  func add(_ sample: ExportSample) throws {
    let format = plan.options.imageFormat
    let split = style.folder(sample.split)
    try folder.write(
      try sample.imageFile(format),
      at: "\(style.root)/\(style.images)/\(split)/\(sample.name).\(format.suffix)")
    try folder.write(
      try maskFile(sample), at: "\(style.root)/\(style.masks)/\(split)/\(sample.name).png")
  }

  func finish() throws {}

  private func maskFile(_ sample: ExportSample) throws -> [UInt8] {
    switch style {
    case .mmseg: try sample.maskFile()
    case .ade: try sample.greyFile(sample.mask.ids.map { $0 == LabelMask.ignored ? 0 : UInt8($0) })
    }
  }

  var cardSection: String {
    let head =
      "`\(style.root)/\(style.images)/SPLIT/NAME.\(plan.options.imageFormat.suffix)` and "
      + "`\(style.root)/\(style.masks)/SPLIT/NAME.png`, grey, a class a value."
    switch style {
    case .mmseg:
      return """
        ### mmsegmentation

        \(head) 0 is the background, a class like the others: `reduce_zero_label=False`. 1 to \(plan.categories.count)
        are the classes below, 255 is ignored. `mmseg/\(MaskFolderFragment.name)` is a fragment of configuration that
        loads them. detectron2: `load_sem_seg("mmseg/\(style.masks)/train", "mmseg/\(style.images)/train")`.
        Prompts stand in `samples.jsonl`.
        """
    case .ade:
      return """
        ### ADE20K style

        \(head) 0 is neither right nor wrong: here that is the background and what is to be ignored, which this layout
        cannot tell apart. 1 to \(plan.categories.count) are the classes below: `reduce_zero_label=True`.
        `ade/\(MaskFolderFragment.name)` is a fragment of configuration that loads them. Prompts stand in
        `samples.jsonl`.
        """
    }
  }
}
