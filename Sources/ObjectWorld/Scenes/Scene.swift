public import Imaging

/// A composed picture with its exact mask.
public struct Scene: Sendable, Equatable {
  /// A cut-out in a scene.
  public struct Object: Sendable, Equatable {
    /// Its class's id.
    public let classID: Int
    /// Its file, from the pack's folder.
    public let file: String
    /// Pixels of the picture where it is at least half opaque, seen or not.
    public let pixels: Int
    /// Those of them that no later object covers.
    public let visiblePixels: Int

    /// The share of it that others hide, 0 to 1; what lies outside the picture does not count.
    public var occlusion: Double { 1 - Double(visiblePixels) / Double(max(pixels, 1)) }
  }

  /// A class that the prompt names.
  public struct Entity: Sendable, Equatable {
    /// The class's name.
    public let name: String
    /// Its id.
    public let classID: Int
    /// The prompt's words for it, without article and number.
    public let words: String
    /// Where those stand, in bytes of the prompt's UTF-8.
    public let range: Range<Int>
    /// How many of it there are.
    public let count: Int
    /// Pixels of the mask with its id.
    public let pixels: Int
  }

  /// The seed that everything here follows from.
  public let seed: UInt64
  /// The picture.
  public let image: PixelImage
  /// The class id of what is seen at each pixel: of the last object that is at least half opaque there.
  public let mask: LabelMask
  /// The objects, the farthest first.
  public let objects: [Object]
  /// The classes in the order of the prompt.
  public let entities: [Entity]
  /// What the picture shows, in words.
  public let prompt: String
  /// The background's file, from the pack's folder.
  public let place: String

  /// All files that it was made of, the background first.
  public var sources: [String] { [place] + objects.map(\.file) }
}
