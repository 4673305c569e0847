/// The published segmenters of any words.
public enum SegmenterArchitecture: String, Sendable, CaseIterable {
  /// LSeg (ICLR 2022): a dense prediction transformer whose pixels are compared with CLIP's text features.
  case lseg
  /// SED (CVPR 2024): a cost map of CLIP's ConvNeXt against sentences, and a decoder that fuses it scale by scale.
  case sed

  /// The name in its paper.
  var title: String {
    switch self {
    case .lseg: "LSeg"
    case .sed: "SED"
    }
  }
}
