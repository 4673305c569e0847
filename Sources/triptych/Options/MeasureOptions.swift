import ArgumentParser
import Generation

/// Whether to find out how long a run takes.
struct MeasureOptions: ParsableArguments {
  @Flag(
    name: .long,
    help: "Do not measure how long the run would take; a plan or a dry run is then made at once.")
  var noMeasure = false

  /// What a plan comes to; measures unless told not to, or where the model does not fit into memory.
  func summary(
    _ plan: GenerationPlan, model: StableDiffusionModel, settings: SamplingSettings,
    masks: MaskSettings?, batch: Int
  ) throws -> PlanSummary {
    let memory = try MemoryEstimate(
      model: model, settings: settings, batch: min(batch, plan.count))
    var seconds: Double?
    if !noMeasure {
      do {
        try memory.check()
        let estimate = try RunTimeEstimate(
          plan, model: model, settings: settings, masks: masks, batchSize: batch
        ) {
          try Interruption.check("plan", leaving: "nothing is written")
        }
        seconds = estimate.seconds(plan.count)
      } catch let error as GenerationError where error.code == .usage {
        Console.note("triptych: the time is not measured: \(Console.oneLine("\(error)"))")
      }
    }
    return PlanSummary(
      plan, settings: settings, hasMasks: masks != nil, memory: memory, seconds: seconds)
  }
}
