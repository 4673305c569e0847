public import DatasetFormat
import Generation
import Imaging
import TensorCore

/// A published data set in its published folders.
///
/// - Source: the folders and values of `xb534/SED` `datasets/README.md` and `prepare_*.py`, which are those of detectron2
///   and MaskFormer.
public struct BenchmarkPictures: LabelledPictures {
  /// Where a data set's files lie, and what their values mean.
  private struct Layout {
    var roots: [String]
    /// Folders of masks, the first that is there being read, with their values.
    var masks: [(folder: String, values: MaskValues)]
    var images: String
    /// A list of names; nil where all masks count.
    var list: String?
  }

  /// The data set's own folder.
  public let path: String
  /// The classes that are scored.
  public let classes: ClassTable
  /// The pictures' names, in the order of the list, or of names.
  public let names: [String]
  /// What no class covers.
  public let background: BackgroundRole
  /// Pictures of the list that hold nothing to be scored.
  public let passedOver: Set<String>
  /// The protocol.
  public let benchmark: BenchmarkProtocol

  private let masks: MaskFolder
  private let images: String
  private let values: MaskValues

  /// Finds a data set.
  ///
  /// - Parameters:
  ///   - benchmark: which one; no few-shot protocol.
  ///   - path: its folder, or the one above.
  ///   - classes: a file that names its classes; nil for the published names.
  /// - Throws: `GenerationError`, `DatasetError` or `ImagingError` where it is not there or not whole.
  public init(_ benchmark: BenchmarkProtocol, path: String, classes: String? = nil) throws {
    let layout = Self.layout(benchmark)
    let folders = layout.masks.map(\.folder)
    let folder = try BenchmarkFolder(
      path, roots: layout.roots, holding: folders, name: benchmark.rawValue)
    guard let part = folder.part(folders),
      let values = layout.masks.first(where: { $0.folder == part })?.values
    else { preconditionFailure("\(folder.path) has none of \(folders)") }
    let masks = try MaskFolder("\(folder.path)/\(part)")
    let names = try layout.list.map { try BenchmarkFolder.list("\(folder.path)/\($0)") }
    if let missing = names?.first(where: { !masks.contains($0) }) {
      throw GenerationError(
        .missingInput, masks.file(of: missing), "is not there, though \(layout.list ?? "") names it"
      )
    }
    self.path = folder.path
    self.benchmark = benchmark
    self.masks = masks
    self.values = values
    self.classes = try BenchmarkClasses.table(
      of: benchmark, file: classes, labels: "\(folder.path)/labels.txt")
    images = "\(folder.path)/\(layout.images)"
    background = benchmark.background
    passedOver =
      benchmark == .voc20 ? try Self.withoutObjects(names ?? masks.names, masks) : []
    self.names = (names ?? masks.names).filter { [passedOver] in !passedOver.contains($0) }
    guard !self.names.isEmpty else {
      throw GenerationError(.malformed, masks.path, "none of its masks shows an object")
    }
  }

  private static func layout(_ benchmark: BenchmarkProtocol) -> Layout {
    let fromZero = MaskValues(first: 0)
    switch benchmark {
    case .ade20k150:
      return Layout(
        roots: ["ADEChallengeData2016"],
        masks: [
          ("annotations/validation", MaskValues()),
          ("annotations_detectron2/validation", fromZero),
        ], images: "images/validation")
    case .ade20k847:
      return Layout(
        roots: ["ADE20K_2021_17_01"], masks: [("annotations_detectron2/validation", fromZero)],
        images: "images_detectron2/validation")
    case .pascalContext59:
      return Layout(
        roots: ["VOC2010", "VOCdevkit/VOC2010"],
        masks: [("annotations_detectron2/pc59_val", fromZero)], images: "JPEGImages")
    case .pascalContext459:
      return Layout(
        roots: ["VOC2010", "VOCdevkit/VOC2010"],
        masks: [("annotations_detectron2/pc459_val", MaskValues(first: 0, ignored: 459))],
        images: "JPEGImages")
    case .voc20, .voc20b, .voc21:
      return Layout(
        roots: ["VOC2012", "VOCdevkit/VOC2012"],
        masks: [("SegmentationClassAug", MaskValues()), ("SegmentationClass", MaskValues())],
        images: "JPEGImages", list: "ImageSets/Segmentation/val.txt")
    case .pascal5i, .coco20i, .fss1000:
      preconditionFailure("\(benchmark.rawValue) is a few-shot protocol")
    }
  }

  /// The names of masks in which all is background or ignored.
  private static func withoutObjects(
    _ names: [String], _ masks: MaskFolder
  ) throws -> Set<String> {
    let isEmpty = try Parallel.map(names.count) { place in
      try masks.mask(names[place]).ids.allSatisfy {
        $0 == LabelMask.background || $0 == LabelMask.ignored
      }
    }
    return Set(zip(names, isEmpty).filter(\.1).map(\.0))
  }

  /// Some of the pictures, not decoded yet.
  public func pictures(_ positions: Range<Int>) -> [LabelledPicture] {
    positions.map { position in
      let name = names[position]
      return LabelledPicture(
        name: name, place: masks.file(of: name),
        truth: { values.ids(of: try masks.mask(name)) },
        image: { try BenchmarkFolder.picture("\(images)/\(name)") })
    }
  }
}
