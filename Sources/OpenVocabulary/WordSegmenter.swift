import TensorCore

/// An image network whose pixels are compared with any words.
public enum WordSegmenter: Sendable {
  case lseg(LSeg)
  case sed(SED)

  /// Which segmenter it is.
  public var architecture: SegmenterArchitecture {
    switch self {
    case .lseg: .lseg
    case .sed: .sed
    }
  }

  /// D, the length of features that pixels are compared with.
  public var featureWidth: Int {
    switch self {
    case .lseg(let lseg): lseg.configuration.featureWidth
    case .sed(let sed): sed.configuration.featureWidth
    }
  }
}
