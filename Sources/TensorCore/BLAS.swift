import COpenBLAS

/// The one file that calls OpenBLAS: single-precision products of matrices that are not packed weights.
///
/// Every call is one fixed matrix of one sample, and OpenBLAS runs on the calling thread alone, so that a result
/// depends neither on batch nor on thread count.
public enum BLAS {
  /// Rows of floats in memory, `stride` apart.
  struct Matrix {
    var start: UnsafePointer<Float>
    var rows: Int
    var columns: Int
    var stride: Int

    init(_ start: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int) {
      (self.start, self.rows, self.columns, self.stride) = (start, rows, columns, stride)
    }
  }

  /// OpenBLAS reads this setting on every call; it is made once.
  private static let runsAlone: Void = openblas_set_num_threads(1)

  /// The processor family whose kernels OpenBLAS chose.
  public static var coreName: String {
    guard let name = openblas_get_corename() else { return "" }
    return String(cString: name)
  }

  /// `a · bᵀ`, written densely.
  ///
  /// - Shapes: `a` [M, K], `b` [N, K] → [M, N].
  static func multiplyTransposed(
    _ a: Matrix, _ b: Matrix, into out: UnsafeMutablePointer<Float>
  ) {
    precondition(a.columns == b.columns, "product: inner sizes \(a.columns), \(b.columns) differ")
    _ = runsAlone
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, size(a.rows), size(b.rows), size(a.columns), 1,
      a.start, size(a.stride), b.start, size(b.stride), 0, out, size(b.rows))
  }

  private static func size(_ value: Int) -> Int32 {
    guard let size = Int32(exactly: value) else {
      preconditionFailure("matrix side \(value) does not fit OpenBLAS's 32-bit sizes")
    }
    return size
  }
}
