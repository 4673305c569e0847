public import DatasetFormat
import Imaging
public import TensorCore

/// Fills a run folder: plan, batches of pictures, records, shard after shard.
public struct GenerationPipeline {
  /// What happens in a run, for those who watch.
  public enum Event {
    /// So many samples are finished, counting parts.
    case progress(Double)
    /// A sample is kept.
    case kept(SampleRecord, shard: Int)
    /// Something people should know.
    case note(String)
  }

  /// What a run came to.
  public struct Summary: Sendable, Equatable {
    /// Samples in the folder.
    public var samples = 0
    /// Those that are accepted.
    public var accepted = 0
    /// Those made by this call.
    public var made = 0
  }

  private let run: GenerationRun
  private let maker: PictureMaker
  private let batch: Int

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - run: what to make.
  ///   - maker: the model, loaded for the same plan and settings.
  ///   - batch: samples that go through the model together.
  public init(_ run: GenerationRun, maker: PictureMaker, batch: Int) {
    precondition(batch >= 1, "a batch of \(batch)")
    self.run = run
    self.maker = maker
    self.batch = batch
  }

  /// Makes what is missing in the folder.
  ///
  /// - Parameters:
  ///   - folder: the run's folder.
  ///   - shards: the shards to make; all of them where latents are asked for.
  ///   - keepsLatents: whether to hand out the last latents of all samples; those of an earlier call are made anew.
  ///   - watch: told what happens, after every step; throwing ends the run, what is kept stays.
  /// - Returns: what the folder holds, and the latents [n, h, w, c] where asked for.
  /// - Throws: what `watch` throws, `DatasetError`, `DiffusionError`.
  public func fill(
    _ folder: RunFolder, shards: [Int], keepsLatents: Bool = false,
    watch: (Event) throws -> Void
  ) throws -> (summary: Summary, latents: Tensor?) {
    var summary = Summary()
    var latents: [Int: Tensor] = [:]
    for shard in shards {
      if case .done(let done) = try folder.state(ofShard: shard) {
        summary.samples += done.sampleCount
        summary.accepted += done.acceptedCount
        try watch(.progress(Double(summary.samples)))
        continue
      }
      try fill(shard, of: folder, &summary) { index, tensor in
        if keepsLatents { latents[index] = tensor }
      } watch: {
        try watch($0)
      }
    }
    guard keepsLatents else { return (summary, nil) }
    return (summary, try allLatents(latents, watch: watch))
  }

  private func fill(
    _ shard: Int, of folder: RunFolder, _ summary: inout Summary,
    keep: (Int, Tensor?) -> Void, watch: (Event) throws -> Void
  ) throws {
    let writer = try folder.openShard(shard)
    let missing = writer.missing
    summary.samples += writer.records.count
    try watch(.progress(Double(summary.samples)))
    for start in stride(from: 0, to: missing.count, by: batch) {
      let indices = Array(missing[start..<min(start + batch, missing.count)])
      let before = Double(summary.samples)
      for index in indices { try warnOfSurplus(index, watch) }
      let pictures = try maker.pictures(indices) { share in
        // The last percent of a batch is decoding and writing.
        try watch(.progress(before + Double(indices.count) * min(share, 0.99)))
      }
      for picture in pictures {
        let record = run.record(picture)
        try writer.add(record, image: picture.image)
        keep(record.index, picture.latents)
        summary.samples += 1
        summary.made += 1
        try watch(.kept(record, shard: shard))
        try watch(.progress(Double(summary.samples)))
      }
    }
    summary.accepted += writer.records.count(where: \.isAccepted)
    try writer.commit()
  }

  private func warnOfSurplus(_ index: Int, _ watch: (Event) throws -> Void) throws {
    let surplus = maker.surplusTokens(run.plan.sample(index).prompt)
    guard surplus > 0 else { return }
    try watch(
      .note("sample \(index): the prompt is \(surplus) token(s) too long; its end is not read"))
  }

  private func allLatents(_ known: [Int: Tensor], watch: (Event) throws -> Void) throws -> Tensor {
    var all = known
    let missing = (0..<run.plan.count).filter { known[$0] == nil }
    for start in stride(from: 0, to: missing.count, by: batch) {
      let indices = Array(missing[start..<min(start + batch, missing.count)])
      let done = Double(run.plan.count - missing.count + start)
      let pictures = try maker.pictures(indices) { share in
        try watch(.progress(done + Double(indices.count) * share))
      }
      for picture in pictures { all[picture.sample.index] = picture.latents }
    }
    return joinedRows(
      try (0..<run.plan.count).map { index in
        guard let tensor = all[index] else {
          throw GenerationError(
            .notFinite, "sample \(index)", "no finite latents came out; nothing is saved")
        }
        return tensor
      })
  }
}
