/// A layout of data sets that is read.
public enum ImportFormat: String, Sendable, CaseIterable {
  /// PASCAL VOC, segmentation.
  case voc
  /// COCO, instances.
  case coco
}
