/// Decides a run's samples anew, from their stored scores, without making anything.
///
/// The shards stay as they are: the rules go to filter.json, in one step, and everything that reads the run applies
/// them. The run's own command goes on with the run's own rules.
public enum RunFilter {
  /// Puts rules in place of the run's own.
  ///
  /// - Parameters:
  ///   - rules: the rules; nil, or rules equal to the run's own, for the run's own decisions.
  ///   - path: the run folder.
  ///   - fileSystem: the folder's file system where it is another than the machine's.
  ///   - watch: told every sample with its new decision, before the rules are in place; throwing leaves all as it was.
  /// - Returns: the counts of the finished shards by the new rules.
  /// - Throws: ``FilterRules/Fault`` for a class that the run has not; ``DatasetError``: `missing`, `malformed` where
  ///   a rule asks for a score that was not measured, `lockHeld`, `diskFull`, `cannotCreate`, `io`; what `watch`
  ///   throws.
  public static func apply(
    _ rules: FilterRules?, toRunAt path: String, fileSystem: (any FileSystem)? = nil,
    watch: (RunContents.Sample) throws -> Void = { _ in }
  ) throws -> AcceptanceTally {
    let run = try RunContents.open(path: path)
    try rules?.check(against: run.classes)
    let isOwn = try rules == nil || rules == run.ownRules()
    let folder = try RunFolder.open(
      path: path, configuration: run.configuration, classes: run.classes, layout: run.layout,
      numerics: run.numerics ?? "", fileSystem: fileSystem)
    do {
      var tally = AcceptanceTally()
      for shard in run.shards {
        for sample in try run.samples(of: shard, rules: isOwn ? nil : rules) {
          if let rules, rules.needsAgreement { try checkAgreement(sample, rules) }
          tally.add(sample.record)
          try watch(sample)
        }
      }
      let file = FilterFile(files: folder.files)
      if let rules, !isOwn {
        try file.write(.init(rules: rules, configurationHash: run.configurationHash))
      } else {
        try file.remove()
      }
      try folder.close()
      return tally
    } catch {
      // The lock goes back and partial/ with it; the first error is the one to report.
      _ = Result { try folder.close() }
      throw error
    }
  }

  /// A bound on a score that is nowhere would silently accept everything.
  private static func checkAgreement(_ sample: RunContents.Sample, _ rules: FilterRules) throws {
    for entity in sample.record.entities
    where entity.isPresent && entity.agreement == nil
      && (rules.classes[entity.name] ?? rules.entities).minAgreement != nil
    {
      throw DatasetError(
        .malformed, path: sample.imagePath,
        "\"\(entity.name)\" has no agreement, which min_agreement asks for; it is measured with --flip-check"
      )
    }
  }
}
