public import DatasetFormat
import Imaging
import MaskGrounding
public import TensorCore

/// Fills a run folder: plan, batches of pictures, records, shard after shard.
public struct GenerationPipeline {
  /// What happens in a run, for those who watch.
  public enum Event {
    /// So many samples are finished, counting parts.
    case progress(Double)
    /// The work goes on, with nothing finished to show.
    case working
    /// An attempt at a sample was rejected, and it is made again.
    case rejected(index: Int, attempt: Int, reasons: [String])
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
  private let maker: SampleMaker
  private let batch: Int

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - run: what to make.
  ///   - maker: the model, loaded for the same plan and settings.
  ///   - batch: samples that go through the model together.
  public init(_ run: GenerationRun, maker: SampleMaker, batch: Int) {
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
    var latents: [Int: Tensor] = [:]
    let summary = try RunFilling.fill(folder, shards: shards, watch: watch) { shard, keep in
      try fill(shard, watch) { record, made in
        try keep(record, made.image, made.labels?.composed.mask)
        if keepsLatents { latents[record.index] = made.latents }
      }
    }
    guard keepsLatents else { return (summary, nil) }
    return (summary, try allLatents(latents, in: folder, watch: watch))
  }

  private func fill(
    _ shard: RunFilling.OpenShard, _ watch: (Event) throws -> Void,
    keep: (SampleRecord, SampleMaker.Made) throws -> Void
  ) throws {
    let missing = shard.missing
    // Duplicates are looked for among the samples before, so samples are decided in order.
    var accepted = shard.records.filter(\.isAccepted).map(\.scores.hash)
    for start in stride(from: 0, to: missing.count, by: batch) {
      let indices = Array(missing[start..<min(start + batch, missing.count)])
      let before = Double(shard.finishedSamples + start)
      for index in indices { try warnOfSurplus(index, watch) }
      let batch = try maker.make(indices) { share in
        // The last percent of a batch is decoding and writing.
        try watch(.progress(before + Double(indices.count) * min(share, 0.99)))
      }
      for first in batch {
        let (record, made) = try decided(first, accepted: accepted, watch)
        if record.isAccepted { accepted.append(record.scores.hash) }
        try keep(record, made)
      }
    }
  }

  /// Makes a rejected sample again, with the next seeds, until it is accepted or the attempts are used up.
  private func decided(
    _ first: SampleMaker.Made, accepted: [PictureHash], _ watch: (Event) throws -> Void
  ) throws -> (SampleRecord, SampleMaker.Made) {
    let attempts = maker.canRetry ? run.rules.attempts : 1
    var rejected: [SampleRecord.RejectedAttempt] = []
    var made = first
    while true {
      let reasons = run.rules.reasons(
        scores: made.scores, entities: made.labels?.recorded ?? [], acceptedHashes: accepted)
      if reasons.isEmpty || made.attempt == attempts - 1 {
        return (run.record(made, reasons: reasons, rejected: rejected), made)
      }
      rejected.append(
        .init(
          attempt: made.attempt, seed: made.seed, reasons: reasons,
          entities: made.labels?.recorded ?? [], scores: made.scores))
      try watch(.rejected(index: made.sample.index, attempt: made.attempt, reasons: reasons))
      // A second attempt is part of its sample: the bar stands still, but a signal is heard.
      made = try maker.make([made.sample.index], attempt: made.attempt + 1) { _ in
        try watch(.working)
      }[0]
    }
  }

  private func warnOfSurplus(_ index: Int, _ watch: (Event) throws -> Void) throws {
    let surplus = maker.surplusTokens(run.plan.sample(index).prompt)
    guard surplus > 0 else { return }
    try watch(
      .note("sample \(index): the prompt is \(surplus) token(s) too long; its end is not read"))
  }

  /// The last latents of every sample; those of an earlier call are made anew, by the attempt that was kept.
  private func allLatents(
    _ known: [Int: Tensor], in folder: RunFolder, watch: (Event) throws -> Void
  ) throws -> Tensor {
    var all = known
    var missing: [Int: [Int]] = [:]
    try RunContents.open(path: folder.path).forEachSample { sample in
      let record = sample.record
      if all[record.index] == nil { missing[record.attempt, default: []].append(record.index) }
    }
    for (attempt, indices) in missing.sorted(by: { $0.key < $1.key }) {
      for start in stride(from: 0, to: indices.count, by: batch) {
        let piece = Array(indices[start..<min(start + batch, indices.count)])
        let batch = try maker.make(piece, attempt: attempt) { _ in try watch(.working) }
        for made in batch { all[made.sample.index] = made.latents }
      }
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
