import ArgumentParser

/// How large pictures are.
struct PictureSizeOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Width in pixels, a multiple of 8 (default: the model's own).", valueName: "n"))
  var width: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Height in pixels, a multiple of 8 (default: the model's own).", valueName: "n"))
  var height: Int?

  @Option(name: .long, help: ArgumentHelp("Width and height at once.", valueName: "n"))
  var size: Int?

  func validate() throws {
    if size != nil, width != nil || height != nil {
      throw ValidationError("--size says both sides; leave out --width and --height")
    }
  }

  /// The size where only some of it, or nothing, is said.
  func resolved(width usualWidth: Int, height usualHeight: Int) -> (width: Int, height: Int) {
    (width ?? size ?? usualWidth, height ?? size ?? usualHeight)
  }
}
