import LatentDiffusion

extension MemoryPlan {
  /// What a run is cut down to, to fit into memory.
  public struct Fit: Sendable, Equatable {
    /// What it then takes.
    public let plan: MemoryPlan
    /// Samples that go through the model together.
    public let batch: Int
  }

  /// Where a limit comes from.
  public enum Limit: Sendable, Equatable {
    /// The machine's memory, or that of the process's control group.
    case machine(Int)
    /// What the user set.
    case given(Int)

    /// The bytes.
    public var bytes: Int {
      switch self {
      case .machine(let bytes), .given(let bytes): bytes
      }
    }

    /// How it is named in messages, with its size.
    var text: String {
      switch self {
      case .machine(let bytes): "this machine has \(MemorySize.text(bytes))"
      case .given(let bytes): "--memory-limit is \(MemorySize.text(bytes))"
      }
    }
  }

  /// Chooses the largest batch up to `batch` that fits; the bytes of the samples do not depend on it.
  ///
  /// - Throws: ``GenerationError`` with both figures and what would fit where not even one sample does,
  ///   `CheckpointError` where weights cannot be opened.
  public static func fitting(
    _ model: StableDiffusionModel, _ request: Request, batch: Int, limit: Limit
  ) throws -> Fit {
    let counter = try MemoryCounter(model, request)
    func plan(_ batch: Int) -> MemoryPlan { MemoryPlan(counter, batch: batch) }
    // A machine that does not say what it has is not held against the run.
    let fits = { (plan: MemoryPlan) in limit.bytes <= 0 || plan.total <= limit.bytes }
    let whole = plan(batch)
    if fits(whole) { return Fit(plan: whole, batch: batch) }
    let single = batch == 1 ? whole : plan(1)
    guard fits(single) else { throw try refusal(single, model, request, limit) }
    // One by one: where much is unused the pool is trimmed, so that a larger batch may take less than a smaller one.
    for smaller in (2..<max(2, batch)).reversed() {
      let candidate = plan(smaller)
      if fits(candidate) { return Fit(plan: candidate, batch: smaller) }
    }
    return Fit(plan: single, batch: 1)
  }

  /// Both figures, and what would fit: tiling where it is off, else smaller pictures of the same proportions.
  private static func refusal(
    _ plan: MemoryPlan, _ model: StableDiffusionModel, _ request: Request, _ limit: Limit
  ) throws -> GenerationError {
    func total(_ change: (inout Request) -> Void) throws -> Int {
      var other = request
      change(&other)
      return try MemoryPlan(model: model, request: other, batch: 1).total
    }
    var advice = "the weights alone take \(MemorySize.text(plan.weights))"
    let tiled = try total { $0.tiling = .auto }
    if tiled <= limit.bytes {
      advice = "with --vae-tiling auto it would be \(MemorySize.text(tiled))"
    } else {
      let unit = max(8, model.pixelsPerCell)
      for eighths in (1..<8).reversed() {
        let (width, height) = (
          request.settings.width * eighths / 8 / unit * unit,
          request.settings.height * eighths / 8 / unit * unit
        )
        guard width > 0, height > 0 else { break }
        let smaller = try total { ($0.settings.width, $0.settings.height) = (width, height) }
        if smaller <= limit.bytes {
          advice =
            "pictures of \(width) x \(height) pixels would take \(MemorySize.text(smaller))"
          break
        }
      }
    }
    return GenerationError(
      .usage, "memory",
      "the run would take about \(MemorySize.text(plan.total)) with --batch 1, \(limit.text); \(advice)"
    )
  }

  /// Refuses what does not fit as it is.
  ///
  /// - Throws: ``GenerationError`` as ``fitting(_:_:batch:limit:)``.
  public static func check(
    _ model: StableDiffusionModel, _ request: Request, batch: Int = 1,
    available: Int = MemorySize.machine
  ) throws {
    let plan = try MemoryPlan(model: model, request: request, batch: batch)
    guard available > 0, plan.total > available else { return }
    guard batch == 1 else {
      throw GenerationError(
        .usage, "--batch",
        "\(batch) samples together would take about \(MemorySize.text(plan.total)) of memory, this machine has "
          + "\(MemorySize.text(available)); choose fewer")
    }
    throw try refusal(plan, model, request, .machine(available))
  }
}
