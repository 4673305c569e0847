import DatasetFormat
import Imaging

/// Reads samples of a run in the categories of a plan.
struct SampleReader {
  private let run: RunContents
  private let plan: ExportPlan
  private let categories: [UInt16: UInt16]

  init(run: RunContents, plan: ExportPlan) {
    self.run = run
    self.plan = plan
    categories = plan.categoryOfClass.merging(
      [LabelMask.background: LabelMask.background, LabelMask.ignored: LabelMask.ignored]
    ) { category, _ in category }
  }

  func read(_ sample: RunContents.Sample, split: DatasetSplit) throws -> ExportSample {
    let image = try run.image(of: sample)
    let place = sample.maskPath ?? sample.imagePath
    guard let mask = try run.mask(of: sample) else {
      throw ExportError(.malformed, place, "the sample has no mask any more; export again")
    }
    let numbered = try LabelMask(
      width: mask.width, height: mask.height, ids: try numbered(mask.ids, place: place))
    return ExportSample(
      record: sample.record, split: split, image: image, mask: numbered,
      instances: try InstanceMap(numbered, division: plan.options.division, place: place),
      plan: plan)
  }

  private func numbered(_ ids: [UInt16], place: String) throws -> [UInt16] {
    var (last, category) = (LabelMask.background, LabelMask.background)
    return try ids.map { id in
      if id == last { return category }
      guard let found = categories[id] else {
        throw ExportError(
          .malformed, place,
          "holds the id \(id), which is not in classes.tsv; triptych verify says more")
      }
      (last, category) = (id, found)
      return found
    }
  }
}
