/// A layout that other programs read.
public enum ExportFormat: String, Sendable, CaseIterable {
  /// PASCAL VOC 2012, segmentation and detection.
  case voc
  /// COCO 2017: instances, captions, panoptic.
  case coco
  /// Folders of pictures and grey masks as mmsegmentation takes them, the background being a class.
  case mmseg
  /// The same as ADE20K has them: the background counts neither as right nor as wrong.
  case ade
  /// Pictures and masks with metadata.jsonl, for `load_dataset("imagefolder")`.
  case imagefolder
  /// Parquet files, for `load_dataset("parquet")`.
  case parquet
  /// Tar files of adjacent members, for webdataset.
  case webdataset
  /// Outlines in text, for ultralytics' YOLO.
  case yolo
  /// A JSON file beside each picture, for labelme.
  case labelme
  /// Croissant metadata of the Parquet files, which come with it.
  case croissant
}
