public import CanonicalJSON

/// What a plan comes to.
public struct PlanSummary: Sendable {
  /// Prompts that are shown.
  public static let promptCount = 8

  /// The number of samples.
  public let samples: Int
  /// How many samples name each class, by ascending id.
  public let perClass: [(name: String, count: Int)]
  /// The first prompts.
  public let prompts: [String]
  /// How each is sampled.
  public let settings: SamplingSettings
  /// How long the run takes here, in seconds; nil where nobody measured.
  public let seconds: Double?
  /// Bytes of disk, at most.
  public let diskBytes: Int
  /// Bytes of memory at the peak, about.
  public let peakBytes: Int

  /// Counts what a plan makes.
  public init(
    _ plan: GenerationPlan, settings: SamplingSettings, hasMasks: Bool, memory: MemoryPlan,
    seconds: Double?
  ) {
    samples = plan.count
    perClass = plan.classCounts()
    prompts = (0..<min(Self.promptCount, plan.count)).map { plan.sample($0).prompt }
    self.settings = settings
    self.seconds = seconds
    diskBytes =
      DiskEstimate(
        count: plan.count, width: settings.width, height: settings.height, hasMasks: hasMasks
      ).bytes
    peakBytes = memory.total
  }

  /// The result's members; `output` says where the samples go, or the plan itself.
  public func members(output: String?) -> [JSONValue.Member] {
    let counts = perClass.map { JSONValue.Member($0.name, .integer(Int64($0.count))) }
    let place: [JSONValue.Member] = output.map { [.init("output", .string($0))] } ?? []
    return [
      .init("samples", .integer(Int64(samples))), .init("per_class", .object(counts)),
      .init("seconds", seconds.map { .number($0) } ?? .null),
      .init("disk_bytes", .integer(Int64(diskBytes))),
      .init("peak_bytes", .integer(Int64(peakBytes))),
    ] + place + [.init("prompts", .array(prompts.map { .string($0) }))]
  }
}
