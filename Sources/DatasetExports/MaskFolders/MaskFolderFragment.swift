import CanonicalJSON
import Imaging

/// A fragment of an mmsegmentation configuration that loads a layout of two folders.
///
/// - Source: the configuration files of mmsegmentation 1.x.
struct MaskFolderFragment {
  static let name = "dataset_config.py"

  let style: MaskFolderStyle
  let plan: ExportPlan

  /// The file's text, Python.
  var text: String {
    """
    # Data set of an mmsegmentation 1.x configuration: name this file in _base_, and data_root the folder it is in.
    data_root = "\(style.root)"
    num_classes = \(classes.count)
    metainfo = dict(
        classes=(\(classes.map { Self.quoted($0.name) + ", " }.joined())),
        palette=[\(classes.map { Self.list($0.colour) }.joined(separator: ", "))])


    def _dataloader(split, pipeline, train):
        return dict(
            batch_size=4 if train else 1, num_workers=4, persistent_workers=True,
            sampler=dict(type="InfiniteSampler" if train else "DefaultSampler", shuffle=train),
            dataset=dict(
                type="BaseSegDataset", data_root=data_root, metainfo=metainfo, img_suffix=".\(imageSuffix)",
                seg_map_suffix=".png", ignore_index=255, reduce_zero_label=\(reducesZero),
                data_prefix=dict(img_path="\(style.images)/" + split, seg_map_path="\(style.masks)/" + split),
                pipeline=pipeline))


    train_pipeline = [
        dict(type="LoadImageFromFile"), dict(type="LoadAnnotations", reduce_zero_label=\(reducesZero)),
        dict(type="RandomFlip", prob=0.5), dict(type="PackSegInputs")]
    test_pipeline = [
        dict(type="LoadImageFromFile"), dict(type="LoadAnnotations", reduce_zero_label=\(reducesZero)),
        dict(type="PackSegInputs")]
    \(loaders.joined(separator: "\n"))
    val_evaluator = test_evaluator = dict(type="IoUMetric", iou_metrics=["mIoU"])

    """
  }

  private var imageSuffix: String { plan.options.imageFormat.suffix }
  private var reducesZero: String { style == .ade ? "True" : "False" }

  /// What the loader numbers from 0.
  private var classes: [(name: String, colour: Colour)] {
    let named = plan.categories.map { ($0.name, $0.colour) }
    return style == .ade ? named : [(plan.backgroundName, Colour(0, 0, 0))] + named
  }

  private var loaders: [String] {
    plan.options.shares.used.map { split in
      let isTrain = split == .train
      return "\(split.rawValue)_dataloader = _dataloader(\"\(style.folder(split))\", "
        + "\(isTrain ? "train" : "test")_pipeline, \(isTrain ? "True" : "False"))"
    }
  }

  private static func list(_ colour: Colour) -> String {
    "[\(colour.red), \(colour.green), \(colour.blue)]"
  }

  /// JSON's quotes and escapes are Python's, too.
  private static func quoted(_ text: String) -> String { JSONValue.string(text).text }
}
