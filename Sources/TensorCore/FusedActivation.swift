import CKernels

/// A function that is applied to every element in the same pass that makes it.
public enum FusedActivation: Sendable, CaseIterable {
  /// The elements as they are.
  case none
  /// x · sigmoid(x).
  case silu
  /// The exact GELU.
  case gelu
  /// The larger of x and 0.
  case relu
  /// ELU + 1, which is positive: x + 1 above 0, e^x below.
  case positiveELU

  var code: ck_activation {
    switch self {
    case .none: CK_IDENTITY
    case .silu: CK_SILU
    case .gelu: CK_GELU
    case .relu: CK_RELU
    case .positiveELU: CK_POSITIVE_ELU
    }
  }
}
