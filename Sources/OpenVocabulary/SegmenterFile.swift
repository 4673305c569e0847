public import Checkpoints

/// Tells files of segmenters from others, by their keys.
public enum SegmenterFile {
  /// What a file is; nil where it is none of the segmenters that are read.
  public static func architecture(of source: any WeightSource) -> SegmenterArchitecture? {
    let keys = source.keys
    // LSeg's head stands beside its encoder, under `net.` where its training wrote the file.
    let isLSeg = { (prefix: String) in
      source.record(prefix + "scratch.head1.weight") != nil
        || keys.contains { $0.hasPrefix(prefix + "scratch.refinenet") }
          && keys.contains { $0.hasPrefix(prefix + "pretrained.") }
    }
    if isLSeg("net.") || isLSeg("") { return .lseg }
    return keys.contains { $0.hasPrefix("sem_seg_head.predictor.") } ? .sed : nil
  }
}
