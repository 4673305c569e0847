public import CanonicalJSON
public import Generation
public import Imaging

/// A picture to learn from.
public struct TrainingExample: Sendable {
  /// What the U-Net is shown.
  public enum Picture: Sendable {
    /// Pixels: encoded, and brought to the steps that are read.
    case pixels(PixelImage)
    /// What the U-Net saw at the steps that are read when it made the picture.
    case way(Trajectory)
  }

  /// What the U-Net is shown.
  public var picture: Picture
  /// What the picture shows, in words.
  public var prompt: String
  /// Of noise that is added to it.
  public var seed: UInt64
  /// The ids of the classes that it shows.
  public var shown: [Int]
  /// Where they are.
  public var masks: ExampleMasks

  /// Describes an example.
  public init(
    picture: Picture, prompt: String, seed: UInt64, shown: [Int], masks: ExampleMasks
  ) {
    (self.picture, self.prompt, self.seed) = (picture, prompt, seed)
    (self.shown, self.masks) = (shown, masks)
  }
}

/// Where pictures to learn from come from.
///
/// What stands at a place depends on the place alone, so that a training that is gone on with sees the same.
public protocol ExampleSource {
  /// The classes.
  var classes: TrainingClasses { get }
  /// Width and height of every picture, in pixels.
  var side: (width: Int, height: Int) { get }
  /// The prompt that pictures were made against; empty for any other.
  var negativePrompt: String { get }
  /// All that decides the examples, for the training's configuration: no path, no time.
  var json: JSONValue { get }

  /// The examples of some places in the order of training, from 0.
  ///
  /// - Throws: `GenerationError`, `DatasetError` or `ImagingError` where data are wrong.
  func examples(_ places: Range<Int>) throws -> [TrainingExample]
}

extension ExampleSource {
  /// None, as where no model made the pictures.
  public var negativePrompt: String { "" }
}
