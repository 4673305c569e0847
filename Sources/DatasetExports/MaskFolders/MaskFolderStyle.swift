/// How a layout of pictures and grey masks in two folders is called and counted.
enum MaskFolderStyle: String {
  /// mmsegmentation's own: 0 is the background, a class like others.
  case mmseg
  /// ADE20K's: 0 is what counts neither as right nor as wrong, classes from 1.
  case ade

  /// The folder of everything.
  var root: String { rawValue }
  /// The folder of the pictures.
  var images: String { self == .mmseg ? "img_dir" : "images" }
  /// The folder of the masks.
  var masks: String { self == .mmseg ? "ann_dir" : "annotations" }

  /// The name of a split's folders.
  func folder(_ split: DatasetSplit) -> String {
    switch (self, split) {
    case (.mmseg, _): split.rawValue
    case (.ade, .train): "training"
    case (.ade, .val): "validation"
    case (.ade, .test): "testing"
    }
  }
}
