/// How a data set is written.
public struct ExportOptions: Sendable, Equatable {
  /// How pictures are stored.
  public enum ImageFormat: String, Sendable, CaseIterable {
    /// Without loss.
    case png
    /// At ``ExportOptions/jpegQuality``; never masks.
    case jpeg

    /// The end of a file's name.
    var suffix: String {
      switch self {
      case .png: "png"
      case .jpeg: "jpg"
      }
    }
  }

  /// The quality of JPEG files where nobody says; colour keeps its full resolution.
  public static let usualJPEGQuality = 95
  /// What a quality may be, on libjpeg's scale.
  public static let jpegQualities = 1...100
  /// What stands in place of a licence that was not given.
  public static let unspecifiedLicence = "unspecified"

  /// The layouts, each once, in the order of their declaration; with what they need of each other.
  public let formats: [ExportFormat]
  /// How samples are divided.
  public let shares: SplitShares
  /// How pictures are stored, where the layout leaves the choice.
  public let imageFormat: ImageFormat
  /// The quality of JPEG files, 1 to 100 on libjpeg's scale.
  public let jpegQuality: Int
  /// What counts as one instance.
  public let division: InstanceDivision
  /// The data set's licence, one line.
  public let licence: String

  /// Describes an export.
  ///
  /// - Precondition: there is a format, the quality lies in ``jpegQualities``, and the licence is one line of text.
  public init(
    formats: [ExportFormat], shares: SplitShares = .usual, imageFormat: ImageFormat = .jpeg,
    jpegQuality: Int = ExportOptions.usualJPEGQuality, division: InstanceDivision = .entity,
    licence: String = ExportOptions.unspecifiedLicence
  ) {
    precondition(!formats.isEmpty, "an export without a format")
    precondition(Self.isLicence(licence), "the licence \"\(licence)\"")
    precondition(Self.jpegQualities.contains(jpegQuality), "a JPEG quality of \(jpegQuality)")
    let needed: [ExportFormat] = formats.contains(.croissant) ? [.parquet] : []
    self.formats = ExportFormat.allCases.filter((formats + needed).contains)
    self.jpegQuality = jpegQuality
    self.shares = shares
    self.imageFormat = imageFormat
    self.division = division
    self.licence = licence
  }

  /// Whether a text can be a licence: one line, not empty, at most 200 characters.
  public static func isLicence(_ text: String) -> Bool {
    !text.isEmpty && text.count <= 200
      && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
      && text.contains { !$0.isWhitespace }
  }
}
