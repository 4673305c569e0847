import CanonicalJSON
public import Checkpoints

/// Tells files of segmenters from others, by their keys.
public enum SegmenterFile {
  /// What a file is; nil where it is none of the segmenters that are read.
  public static func architecture(of source: any WeightSource) -> SegmenterArchitecture? {
    let keys = source.keys
    // LSeg's head stands beside its encoder, under `net.` where its training wrote the file.
    let isLSeg = ["net.", ""].contains { prefix in
      keys.contains { $0.hasPrefix(prefix + "scratch.") }
        && keys.contains { $0.hasPrefix(prefix + "pretrained.") }
    }
    if isLSeg { return .lseg }
    // SED's decoder stands beside CLIP, behind detectron2's name of the head where its training wrote the file.
    let isSED = [SEDFile.predictor, ""].contains { prefix in
      keys.contains { $0.hasPrefix(prefix + "clip_model.visual.trunk.") }
        && keys.contains { $0.hasPrefix(prefix + "transformer.decoder1.") }
    }
    return isSED ? .sed : nil
  }

  /// Refuses a file that is not of the network asked for, naming what it is.
  ///
  /// - Throws: `CheckpointError`.
  static func check(_ source: any WeightSource, is wanted: SegmenterArchitecture) throws {
    let found = architecture(of: source)
    guard found != wanted else { return }
    let what = found.map { "is a checkpoint of \($0.title)" } ?? "is none that is known by its keys"
    throw CheckpointError(
      .unsupported, file: source.name, "\(what), expected one of \(wanted.title)")
  }

  /// One line that names what is missing or misshapen; nil where nothing is.
  static func refusal(
    _ report: WeightReport, of network: String, _ source: any WeightSource
  ) -> CheckpointError? {
    guard let first = report.missing.first ?? report.misshapen.first else { return nil }
    func list(_ findings: [WeightReport.Finding], _ what: String) -> String? {
      guard !findings.isEmpty else { return nil }
      let named = findings.prefix(8).map { finding in
        let key = JSONError.excerpt(of: finding.key, limit: 160)
        return finding.found.map { "\(key) \($0.shape) instead of \(finding.expected ?? [])" }
          ?? key
      }
      let more = findings.count > 8 ? " and \(findings.count - 8) more" : ""
      return "\(findings.count) \(what): " + named.joined(separator: ", ") + more
    }
    let faults = [list(report.missing, "missing"), list(report.misshapen, "misshapen")]
    return CheckpointError(
      report.missing.isEmpty ? .wrongShape : .missingTensor, file: source.name, key: first.key,
      "\(network) does not find its tensors: " + faults.compactMap { $0 }.joined(separator: "; "))
  }
}
