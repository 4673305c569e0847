public import DatasetFormat
import Generation
import Imaging

/// A folder of true masks, without their pictures.
public struct FolderPictures: LabelledPictures {
  /// The classes whose ids the masks hold.
  public let classes: ClassTable
  /// What no class covers.
  public let background: BackgroundRole
  /// The folder.
  public var path: String { folder.path }
  /// The masks' names, sorted.
  public var names: [String] { folder.names }

  private let folder: MaskFolder
  private let values: MaskValues

  /// Takes a folder's masks.
  ///
  /// - Parameters:
  ///   - folder: the masks.
  ///   - classes: what their values mean.
  ///   - values: how values become ids.
  ///   - background: what pixels of no class are.
  public init(
    _ folder: MaskFolder, classes: ClassTable, values: MaskValues = MaskValues(),
    background: BackgroundRole = .scored
  ) {
    (self.folder, self.classes) = (folder, classes)
    (self.values, self.background) = (values, background)
  }

  /// Some of the masks, not decoded yet.
  public func pictures(_ positions: Range<Int>) -> [LabelledPicture] {
    positions.map { position in
      let name = names[position]
      let place = folder.file(of: name)
      return LabelledPicture(
        name: name, place: place, truth: { values.ids(of: try folder.mask(name)) },
        image: {
          throw GenerationError(.malformed, place, "is a mask alone, without its picture")
        })
    }
  }
}
