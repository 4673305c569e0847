import ArgumentParser
import Generation
import LatentDiffusion

/// How much memory a run may take.
struct MemoryOptions: ParsableArguments {
  /// Whether large pictures are decoded piece by piece.
  enum Tiling: String, CaseIterable, ExpressibleByArgument {
    case auto
    case off

    var tiling: AutoencoderTiling { self == .auto ? .auto : .off }
  }

  /// An amount of memory.
  struct Size: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
      guard let bytes = MemorySize.bytes(argument) else { return nil }
      self.bytes = bytes
    }
  }

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The most memory to take, such as 6GiB or 4000MB (default: what the machine or its control group has). Fewer "
        + "samples then go through the model together; where not even one fits, nothing is started.",
      valueName: "size"))
  var memoryLimit: Size?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Decode pictures above 256 x 256 pixels piece by piece (auto), which takes less memory, or at once (off); "
        + "changes no byte.", valueName: "auto|off"))
  var vaeTiling = Tiling.auto

  private var limit: MemoryPlan.Limit {
    memoryLimit.map { .given($0.bytes) } ?? .machine(MemorySize.machine)
  }

  /// What decides how much memory a plan takes.
  func request(
    _ plan: GenerationPlan, settings: SamplingSettings, masks: MaskSettings?
  ) -> MemoryPlan.Request {
    var request = MemoryPlan.Request(plan, settings: settings, masks: masks)
    request.tiling = vaeTiling.tiling
    return request
  }

  /// The largest batch that fits.
  ///
  /// - Throws: ``GenerationError`` where none does.
  func fit(
    _ model: StableDiffusionModel, _ request: MemoryPlan.Request, batch: Int
  ) throws -> MemoryPlan.Fit {
    try MemoryPlan.fitting(model, request, batch: min(batch, request.count), limit: limit)
  }

  /// What people should know before a run starts.
  func notices(_ fit: MemoryPlan.Fit, batch: Int, count: Int) -> [String] {
    let available = limit.bytes > 0 ? " of \(MemorySize.text(limit.bytes))" : ""
    let peak = "memory: about \(MemorySize.text(fit.plan.total))\(available)"
    guard fit.batch < min(batch, count) else { return [peak] }
    return [peak, "memory: --batch \(batch) does not fit, \(fit.batch) go together"]
  }
}
