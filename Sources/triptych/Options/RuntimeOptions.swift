public import ArgumentParser
import CanonicalJSON
public import TensorCore

extension Precision: ExpressibleByArgument {}

/// Options that every command has.
struct RuntimeOptions: ParsableArguments {
  /// Kernel levels, or the best one.
  enum InstructionSet: Equatable, ExpressibleByArgument {
    case auto
    case level(KernelLevel)

    init?(argument: String) {
      if argument == "auto" {
        self = .auto
      } else if let level = KernelLevel(rawValue: argument) {
        self = .level(level)
      } else {
        return nil
      }
    }

    static var allValueStrings: [String] { ["auto"] + KernelLevel.allCases.map(\.rawValue) }
    var defaultValueDescription: String { "auto" }
  }

  static let threadLimit = 1024

  @Flag(name: .long, help: "Write results as JSON lines, the last one the result.")
  var json = false

  @Option(
    name: .long, help: ArgumentHelp("Threads that compute; all cores if not said.", valueName: "n"))
  var threads: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How weights are kept and multiplied: exact in float32; default in 16 bits where the file or the processor does.",
      valueName: "mode"))
  var precision: Precision = .default

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Instructions to use; bytes are equal between machines at one level.", valueName: "level"))
  var isa: InstructionSet = .auto

  @Option(
    name: .long,
    help: ArgumentHelp(
      "YAML file with options by their long names; those by hand win.", valueName: "file"))
  var config: String?

  func validate() throws {
    if let threads, !(1...Self.threadLimit ~= threads) {
      throw ValidationError("--threads: found \(threads), expected 1 to \(Self.threadLimit)")
    }
    if case .level(let level) = isa, !level.isAvailable {
      let known = KernelLevel.available.map(\.rawValue).joined(separator: ", ")
      throw ValidationError(
        "--isa: this machine cannot run \(level.rawValue); it can run auto, \(known)")
    }
  }

  /// The level whose bytes results have: a level that only multiplies bfloat16 better is no other in exact precision.
  var numericLevel: KernelLevel {
    precision == .exact ? KernelLevel.selected.floatLevel : KernelLevel.selected
  }

  /// Sets threads, kernels and precision for the whole process; before any weight is loaded.
  func apply() {
    if let threads { Parallel.threadCount = threads }
    if case .level(let level) = isa { level.select() }
    precision.select()
  }

  /// Writes the result: `members` as the last JSON line, or `text` for people.
  func finish(_ members: [JSONValue.Member], text: String) throws {
    guard json else { return try Console.result(text) }
    try Console.result(.object([.init("event", "result")] + members))
  }
}
