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
}
