public import ArgumentParser
public import Generation

extension SingleFileOptions.Prediction: ExpressibleByArgument {
  /// The names, and that of diffusers' configurations.
  public init?(argument: String) { self.init(rawValue: argument.replacing("_", with: "-")) }
}

/// What a single file as the model does not say of itself.
struct SingleFileFlags: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "With a single file: the tokenizer, a folder with vocab.json and merges.txt (default: tokenizer/ beside the file).",
      valueName: "folder"))
  var tokenizer: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With a single file: what the model predicts; needed for Stable Diffusion 2 where the file does not say it.",
      valueName: "kind"))
  var prediction: SingleFileOptions.Prediction?

  @Flag(name: .long, help: "With a single file: use its averaged weights (EMA).")
  var ema = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With a single file: a diffusers folder whose configurations, scheduler and tokenizer the file goes with "
        + "(default: the one the file lies in, else what its shapes tell).", valueName: "folder"))
  var modelConfig: String?

  /// All of them.
  var options: SingleFileOptions {
    var options = SingleFileOptions()
    options.tokenizer = tokenizer
    options.prediction = prediction
    options.usesAverage = ema
    options.configuration = modelConfig
    return options
  }
}
