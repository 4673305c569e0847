import COpenBLAS

/// The one file that calls OpenBLAS: the single-precision products of attention's gradients, which are too small and too
/// many to pack.
///
/// OpenBLAS computes each on one thread, so that a result does not depend on the thread count.
public enum BLAS {
  /// Rows of floats in memory, `stride` apart.
  struct Matrix {
    var start: UnsafePointer<Float>
    var rows: Int
    var columns: Int
    var stride: Int
    /// Whether the product takes it turned.
    var isTurned = false

    init(_ start: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
      (self.start, self.rows, self.columns) = (start, rows, columns)
      self.stride = stride ?? columns
    }

    /// The transposed matrix, over the same memory.
    var turned: Matrix {
      var matrix = self
      matrix.isTurned.toggle()
      return matrix
    }

    /// Height and width as the product takes it.
    var shape: (rows: Int, columns: Int) { isTurned ? (columns, rows) : (rows, columns) }
  }

  /// OpenBLAS reads this setting on every call; it is made once.
  private static let runsAlone: Void = openblas_set_num_threads(1)

  /// The processor family whose kernels OpenBLAS chose.
  public static var coreName: String {
    guard let name = openblas_get_corename() else { return "" }
    return String(cString: name)
  }

  /// `factor · a · b`, written to rows `stride` apart, or added to what is there; on the calling thread.
  ///
  /// - Shapes: `a` [M, K], `b` [K, N], each as it is taken → [M, N].
  static func multiply(
    _ a: Matrix, _ b: Matrix, factor: Float = 1, adding: Bool = false,
    into out: UnsafeMutablePointer<Float>, stride: Int? = nil
  ) {
    let (m, k) = a.shape
    let n = b.shape.columns
    precondition(b.shape.rows == k, "product: inner sizes \(k), \(b.shape.rows) differ")
    guard m > 0, n > 0 else { return }
    _ = runsAlone
    cblas_sgemm(
      CblasRowMajor, a.isTurned ? CblasTrans : CblasNoTrans, b.isTurned ? CblasTrans : CblasNoTrans,
      size(m), size(n), size(k), factor, a.start, size(a.stride), b.start, size(b.stride),
      adding ? 1 : 0, out, size(stride ?? n))
  }

  private static func size(_ value: Int) -> Int32 {
    guard let size = Int32(exactly: value) else {
      preconditionFailure("matrix side \(value) does not fit OpenBLAS's 32-bit sizes")
    }
    return size
  }
}
