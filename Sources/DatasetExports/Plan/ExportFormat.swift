/// A layout that other programs read.
public enum ExportFormat: String, Sendable, CaseIterable {
  /// PASCAL VOC 2012, segmentation and detection.
  case voc
  /// COCO 2017: instances, captions, panoptic.
  case coco
}
