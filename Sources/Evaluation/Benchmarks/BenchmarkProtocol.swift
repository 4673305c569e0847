/// A published way to measure segmentation: whose pictures, which classes, what is ignored.
public enum BenchmarkProtocol: String, Sendable, CaseIterable {
  /// ADE20K's scene parsing, 150 classes, 2000 pictures of validation.
  case ade20k150 = "ade20k-150"
  /// ADE20K of 2021 with its 847 most frequent classes, as MaskFormer, CAT-Seg and SED prepare it.
  case ade20k847 = "ade20k-847"
  /// PASCAL Context, 59 classes.
  case pascalContext59 = "pascal-context-59"
  /// PASCAL Context, 459 classes.
  case pascalContext459 = "pascal-context-459"
  /// PASCAL VOC 2012, 20 classes; the background is ignored.
  case voc20 = "voc-20"
  /// The same with the background as a class, which stands for the 39 other classes of PASCAL Context.
  case voc20b = "voc-20b"
  /// The same with the background as a class of its own name.
  case voc21 = "voc-21"
  /// PASCAL-5i: 20 classes in four folds, one class an episode.
  case pascal5i = "pascal-5i"
  /// COCO-20i: 80 classes in four folds.
  case coco20i = "coco-20i"
  /// FSS-1000: 240 classes of 10 pictures each.
  case fss1000 = "fss-1000"

  /// Whether an episode asks for one class against everything else.
  public var isFewShot: Bool {
    switch self {
    case .pascal5i, .coco20i, .fss1000: true
    default: false
    }
  }

  /// Whether classes come in four folds.
  public var hasFolds: Bool { self == .pascal5i || self == .coco20i }

  /// How many classes there are without the background; nil where the folder says it.
  var classCount: Int? {
    switch self {
    case .ade20k150: 150
    case .ade20k847: 847
    case .pascalContext59: 59
    case .pascalContext459: 459
    case .voc20, .voc20b, .voc21, .pascal5i: 20
    case .coco20i: 80
    case .fss1000: nil
    }
  }

  /// The vocabulary with the published names; nil where the data set says them, or nobody does.
  var vocabulary: String? {
    switch self {
    case .ade20k150: "ade"
    case .pascalContext59: "pascal-context-59"
    case .voc20, .voc20b, .voc21, .pascal5i: "voc"
    case .coco20i: "coco-20i"
    case .ade20k847, .pascalContext459, .fss1000: nil
    }
  }

  /// What belongs to no class.
  var background: BackgroundRole { self == .voc20b || self == .voc21 ? .scored : .ignored }

  /// What classes without truth are in means where the published code is followed.
  public var usualAbsentClasses: SegmentationScores.AbsentClasses {
    isFewShot ? .zero : .leftOut
  }

  /// What is said to a segmenter of any words for what belongs to no class; nil where nothing competes for it.
  ///
  /// - Source: LSeg's zero-shot evaluation says "others".
  public var restLabel: String? {
    switch self {
    case .voc21: "background"
    case .pascal5i, .coco20i, .fss1000: "others"
    default: nil
    }
  }

  /// The vocabulary whose classes a segmenter chooses from, where it is another one than the protocol scores.
  public var predictedVocabulary: String? { self == .voc20b ? "voc-20b" : nil }

  /// What becomes of a predicted id: in ``voc20b`` all but VOC's classes are the background.
  public var folding: ((UInt16) -> UInt16)? {
    guard self == .voc20b else { return nil }
    return { id in (21..<UInt16.max).contains(id) ? 0 : id }
  }
}
