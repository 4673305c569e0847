import DatasetFormat
import Generation
import TensorCore

extension GenerateCommand {
  /// Makes what is missing of the run, and what was asked for beside it.
  func make(
    _ run: GenerationRun, shards: [Int], model: StableDiffusionModel, initial: Tensor?,
    path: String, fit: MemoryPlan.Fit
  ) throws {
    if let filters {
      try FilterRulesFile.check(run.rules, against: run.classes(), file: filters)
    }
    let maker = try SampleMaker(
      model: model, plan: run.plan, settings: run.settings, masks: run.masks,
      initialLatents: initial, tiling: memory.vaeTiling.tiling)
    let folder = try RunFolder.open(
      path: path, configuration: run.configuration, classes: run.classes(), layout: run.layout,
      numerics: run.numericsFingerprint,
      access: shards.count == run.layout.shardCount ? .exclusive : .shared)
    for line in memory.notices(fit, batch: sampling.batch, count: run.plan.count) {
      Console.note("triptych: \(line)")
    }
    for notice in try [maskNotice(run.masks), wordNotice(run.plan, model)].compactMap({ $0 }) {
      Console.note("triptych: \(notice)")
    }
    let report = RunReport(
      runtime, path: path, noun: "picture", layout: run.layout, shards: shards)
    let pipeline = GenerationPipeline(run, maker: maker, batch: fit.batch)
    let (summary, finalLatents) = try pipeline.fill(
      folder, shards: shards, keepsLatents: saveLatents != nil
    ) { event in
      try report.show(event)
    }
    report.end()
    try folder.close()
    if let saveLatents, let finalLatents { try LatentsFile.write(finalLatents, to: saveLatents) }
    let seconds = report.seconds
    let contents = try RunContents.open(path: path)
    var extras = try output.run.writeContactSheet(contents)
    let tally = try AcceptanceTally(contents, shards: shards)
    if let export, tally.accepted > 0 {
      _ = try DataSetWriter.write(
        contents, to: path + "/exports", options: exports.options(export.formats))
      extras.append("data sets: \(path)/exports")
    }
    try report.finish(summary, tally, seconds: seconds, extras: extras)
  }

  /// Which classes the model was not trained to draw, where it says what it was; nil where it knows all.
  private func wordNotice(_ plan: GenerationPlan, _ model: StableDiffusionModel) throws -> String? {
    guard let preset = try SamplingDefaults(for: model).vocabulary else { return nil }
    let known = Set(try TemplateLibrary().vocabulary(preset).classes.map(\.words))
    let unknown = plan.source.classes.map(\.named).filter { !known.contains($0.words) }
    guard !unknown.isEmpty else { return nil }
    let named = unknown.prefix(3).map(\.name).joined(separator: ", ")
    return "the model never saw \(unknown.count) of the \(plan.source.classes.count) classes "
      + "(\(named)\(unknown.count > 3 ? ", …" : "")); --vocabulary \(preset) lists those it was trained on"
  }
}
