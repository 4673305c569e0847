package import DatasetFormat
package import Imaging

/// Fills the shards of a run folder one after the other: all that is the same however samples are made.
package enum RunFilling {
  /// A shard that is not finished.
  package struct OpenShard {
    /// Its samples that are still to be made, ascending.
    package let missing: [Int]
    /// The records of those that an earlier call made, ascending.
    package let records: [SampleRecord]
    /// Finished samples of all shards so far.
    package let finishedSamples: Int
  }

  /// Keeps a finished sample with its picture and its mask; samples of a shard may come in any order.
  package typealias Keep = (SampleRecord, PixelImage, LabelMask?) throws -> Void

  /// Makes what is missing in some shards.
  ///
  /// - Parameters:
  ///   - folder: the run's folder.
  ///   - shards: the shards to make.
  ///   - watch: told what happens, after every step; throwing ends the work, what is kept stays.
  ///   - make: makes all missing samples of a shard and hands out each.
  /// - Returns: what the shards hold.
  /// - Throws: what `watch` and `make` throw, `DatasetError`.
  package static func fill(
    _ folder: RunFolder, shards: [Int], watch: (GenerationPipeline.Event) throws -> Void,
    make: (OpenShard, Keep) throws -> Void
  ) throws -> GenerationPipeline.Summary {
    // What `make` calls back may watch, too.
    try withoutActuallyEscaping(watch) { watch in
      var summary = GenerationPipeline.Summary()
      for shard in shards {
        if case .done(let done) = try folder.state(ofShard: shard) {
          summary.samples += done.sampleCount
          summary.accepted += done.acceptedCount
          try watch(.progress(Double(summary.samples)))
          continue
        }
        let writer = try folder.openShard(shard)
        summary.samples += writer.records.count
        try watch(.progress(Double(summary.samples)))
        let open = OpenShard(
          missing: writer.missing, records: writer.records, finishedSamples: summary.samples)
        try make(open) { record, image, mask in
          try writer.add(record, image: image, mask: mask)
          summary.samples += 1
          summary.made += 1
          try watch(.kept(record, shard: shard))
          try watch(.progress(Double(summary.samples)))
        }
        summary.accepted += writer.records.count(where: \.isAccepted)
        try writer.commit()
      }
      return summary
    }
  }
}
