import CKernels
import Synchronization

/// An instruction set that kernels exist for.
///
/// Weights are packed for the level that is selected when they are loaded, and products with them run at that level.
public enum KernelLevel: String, Sendable, CaseIterable {
  /// 128-bit vectors every processor of the architecture has; the reference.
  case portable
  /// 128-bit vectors with fused multiply-add (arm64).
  case neon
  /// 256-bit vectors with fused multiply-add.
  case avx2
  /// 512-bit vectors.
  case avx512
  /// The floats of ``avx512``, and bfloat16 products of 512-bit vectors.
  case avx512bf16
  /// The floats of ``avx512``, and bfloat16 products of tiles of 16 × 16, where the operating system allows them.
  case amx

  private var code: ck_level {
    switch self {
    case .portable: CK_LEVEL_PORTABLE
    case .neon: CK_LEVEL_NEON
    case .avx2: CK_LEVEL_AVX2
    case .avx512: CK_LEVEL_AVX512
    case .avx512bf16: CK_LEVEL_AVX512BF16
    case .amx: CK_LEVEL_AMX
    }
  }

  /// Whether products of ``Precision/default`` are in bfloat16 here, with sums in float.
  public var multipliesBFloat16: Bool { ck_multiplies_bfloat16(kernels) == 1 }

  /// The level that computes the same floats and is known by them: what ``Precision/exact`` results depend on.
  public var floatLevel: KernelLevel {
    switch self {
    case .avx512bf16, .amx: .avx512
    default: self
    }
  }

  /// The kernels; nil where this build or this processor cannot run the level.
  private var table: OpaquePointer? { ck_table_for(code) }

  /// Whether this build and this processor can run the level.
  public var isAvailable: Bool { table != nil }

  /// The levels that can run here, weakest first.
  public static var available: [KernelLevel] { allCases.filter(\.isAvailable) }

  private static let chosen = Mutex<KernelLevel?>(nil)
  @TaskLocal private static var forced: KernelLevel?
  private static let strongest = available.last ?? .portable

  /// The level that weights are packed for and operations run at: the strongest available one unless another was
  /// chosen.
  public static var selected: KernelLevel { forced ?? chosen.withLock { $0 } ?? strongest }

  /// Uses this level in the whole process from now on; weights packed before keep theirs.
  ///
  /// - Precondition: the level is available.
  public func select() {
    precondition(isAvailable, "kernel level \(rawValue) is not available here")
    Self.chosen.withLock { $0 = self }
  }

  /// Uses this level for what `body` does on the calling thread.
  ///
  /// - Precondition: the level is available.
  public func scoped<R>(_ body: () throws -> R) rethrows -> R {
    precondition(isAvailable, "kernel level \(rawValue) is not available here")
    return try Self.$forced.withValue(self, operation: body)
  }

  /// The kernels of the selected level.
  static var kernels: OpaquePointer { selected.kernels }

  /// The kernels of this level.
  var kernels: OpaquePointer {
    guard let table else { preconditionFailure("kernel level \(rawValue) is not available here") }
    return table
  }

  /// The processor's own name; empty where it cannot be told.
  public static var processorName: String {
    var name = [CChar](repeating: 0, count: 64)
    ck_processor_name(&name, name.count)
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
