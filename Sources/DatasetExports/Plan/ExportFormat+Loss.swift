extension ExportFormat {
  /// What of a sample the layout has no room for, in a line for people; nil where it holds everything.
  var loss: String? {
    switch self {
    case .voc: "voc has no room for prompts; samples.jsonl beside it holds them"
    case .coco:
      "coco's instances have no room for ignored pixels; its panoptic files hold them as void"
    case .mmseg:
      "mmseg has no room for instances and prompts; samples.jsonl beside it holds the prompts"
    case .ade:
      "ade has no room for instances and prompts, and cannot tell background from ignored pixels"
    case .yolo:
      "yolo has no room for ignored pixels, which count as background, and for prompts"
    case .imagefolder, .parquet, .webdataset, .labelme, .croissant: nil
    }
  }
}
