/// What a PNG holds: its pixels, its palette where it has one, and its texts.
public struct PNGContents<Pixels: Sendable & Equatable>: Sendable, Equatable {
  /// A text chunk.
  public struct Text: Sendable, Equatable {
    /// What the text is about.
    public var keyword: String
    /// The text.
    public var text: String
  }

  /// The pixels.
  public var pixels: Pixels
  /// The palette; empty where the file has none.
  public var palette: [Colour]
  /// The texts in the order of the file.
  public var texts: [Text]

  /// The text that this program wrote into the file; nil where there is none.
  public var record: String? {
    texts.first { $0.keyword == PNGCodec.keyword }?.text
  }
}
