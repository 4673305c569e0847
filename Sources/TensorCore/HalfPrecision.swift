import CKernels

/// Conversion of stored 16-bit rows to the floats that are computed with, and back.
public enum HalfPrecision {
  /// Widens `count` IEEE half values at any alignment.
  public static func widenHalf(
    _ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    ck_float_from_half(source, destination, count)
  }

  /// Widens `count` bfloat16 values at any alignment.
  public static func widenBFloat16(
    _ source: UnsafeRawPointer, to destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    ck_float_from_bfloat16(source, destination, count)
  }

  /// Rounds `count` floats to IEEE half, to nearest even.
  public static func narrowToHalf(
    _ source: UnsafePointer<Float>, to destination: UnsafeMutableRawPointer, count: Int
  ) {
    ck_half_from_float(source, destination, count)
  }

  /// Rounds `count` floats to bfloat16, to nearest even.
  public static func narrowToBFloat16(
    _ source: UnsafePointer<Float>, to destination: UnsafeMutableRawPointer, count: Int
  ) {
    ck_bfloat16_from_float(source, destination, count)
  }
}

extension Tensor {
  /// Whether no element is infinite or not a number.
  public var isFinite: Bool {
    withUnsafePointer { x in
      blockedSum(count) { ck_all_finite(x + $0.lowerBound, $0.count) == 1 ? 0 : 1 } == 0
    }
  }
}
