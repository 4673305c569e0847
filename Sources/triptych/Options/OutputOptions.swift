import ArgumentParser

/// Where a generated run goes, and how much of it is made.
struct OutputOptions: ParsableArguments {
  @OptionGroup var run: RunOutputOptions

  @Flag(name: .long, help: "Pictures only.")
  var noMasks = false

  @Flag(name: .long, help: "Say what would be made, and make nothing.")
  var dryRun = false

  var output: String? { run.output }
  var shardSize: Int { run.shardSize }
  var contactSheet: String? { run.contactSheet }
}
