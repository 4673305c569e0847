public import ArgumentParser
public import DatasetExports

/// How a data set is written.
struct ExportSettings: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("Shares of train, val and test, 100 in sum.", valueName: "n,n,n"))
  var splits = SplitShares.usual

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How pictures are stored; voc takes JPEG only, because its loaders look for NAME.jpg.",
      valueName: "format"))
  var imageFormat = ExportOptions.ImageFormat.jpeg

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The quality of JPEG pictures, 1 to 100; masks are never JPEG.", valueName: "n"))
  var jpegQuality = ExportOptions.usualJPEGQuality

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What counts as one instance: all pixels of a class, or each piece of them.",
      valueName: "kind"))
  var instances = InstanceDivision.entity

  @Option(
    name: .long,
    help: ArgumentHelp("The data set's licence, for its card and files.", valueName: "name"))
  var licence = ExportOptions.unspecifiedLicence

  func validate() throws {
    guard ExportOptions.isLicence(licence) else {
      throw ValidationError("--licence: expected one line of up to 200 characters")
    }
    guard ExportOptions.jpegQualities.contains(jpegQuality) else {
      throw ValidationError("--jpeg-quality: found \(jpegQuality), expected 1 to 100")
    }
  }

  /// The options of the library.
  func options(_ formats: [ExportFormat]) -> ExportOptions {
    ExportOptions(
      formats: formats, shares: splits, imageFormat: imageFormat, jpegQuality: jpegQuality,
      division: instances, licence: licence)
  }
}

extension SplitShares: ExpressibleByArgument {
  /// Reads shares.
  public init?(argument: String) { self.init(argument) }
  /// As the option takes it.
  public var defaultValueDescription: String { description }
}

extension ExportOptions.ImageFormat: ExpressibleByArgument {}
extension InstanceDivision: ExpressibleByArgument {}
