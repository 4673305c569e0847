public import DatasetFormat
public import Imaging

/// Pictures whose true masks are known, to be read a few at a time.
public protocol LabelledPictures {
  /// The data set, for messages.
  var path: String { get }
  /// The classes whose ids the masks hold.
  var classes: ClassTable { get }
  /// The name of each picture, unique, in the order that they are read in.
  var names: [String] { get }
  /// Names of pictures that hold nothing to be scored and are left out.
  var passedOver: Set<String> { get }
  /// What no class covers.
  var background: BackgroundRole { get }
  /// Some of the pictures, not decoded yet.
  ///
  /// - Throws: `DatasetError` where a list of them cannot be read.
  func pictures(_ positions: Range<Int>) throws -> [LabelledPicture]
}

extension LabelledPictures {
  /// None, where a data set leaves nothing out.
  public var passedOver: Set<String> { [] }
}

/// A picture whose true mask is known.
///
/// Both are read when they are asked for, on any thread.
public struct LabelledPicture {
  /// Its name in the data set, as files of predictions are called.
  public let name: String
  /// The file of the mask, for messages.
  public let place: String
  /// The mask: ids of classes, 0 for what is none, ignored.
  public let truth: () throws -> LabelMask
  /// The picture.
  public let image: () throws -> PixelImage

  /// Describes a picture.
  public init(
    name: String, place: String, truth: @escaping () throws -> LabelMask,
    image: @escaping () throws -> PixelImage
  ) {
    (self.name, self.place, self.truth, self.image) = (name, place, truth, image)
  }
}

/// What pixels are that belong to no class.
public enum BackgroundRole: String, Sendable, CaseIterable {
  /// A class of its own, id 0.
  case scored = "class"
  /// Ignored where they are true, and wrong where they are predicted.
  case ignored = "ignore"
}
