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
    masks: MaskSettings?, batch: Int, memory: MemoryOptions
  ) throws -> PlanSummary {
    let request = memory.request(plan, settings: settings, masks: masks)
    var seconds: Double?
    var peak: MemoryPlan?
    do {
      let fit = try memory.fit(model, request, batch: batch)
      peak = fit.plan
      if !noMeasure {
        let estimate = try RunTimeEstimate(
          plan, model: model, settings: settings, masks: masks, batchSize: fit.batch,
          tiling: request.tiling
        ) {
          try Interruption.check("plan", leaving: "nothing is written")
        }
        seconds = estimate.seconds(plan.count)
      }
    } catch let error as GenerationError where error.code == .usage {
      Console.note("triptych: the time is not measured: \(Console.oneLine("\(error)"))")
    }
    return PlanSummary(
      plan, settings: settings, hasMasks: masks != nil,
      memory: try peak ?? MemoryPlan(model: model, request: request, batch: 1), seconds: seconds)
  }
}
