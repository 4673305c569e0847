import Synchronization
import TensorCore

/// Compares what a model asks for with what a checkpoint has, and lists all that does not fit.
///
///     let audit = WeightAudit(source)
///     _ = try UNet(audit.scope, configuration)
///     print(audit.report)
///
/// No weight is read: the model gets views of one block of zeros, as large as the largest tensor. Kernels that
/// pack their weights copy them, so a model made this way is for throwing away.
public struct WeightAudit: Sendable {
  /// The root from which the model is made.
  public let scope: WeightScope
  private let source: any WeightSource
  private let log: AuditLog

  /// Prepares the comparison with a source.
  public init(_ source: any WeightSource) {
    let largest = source.keys.reduce(0) { max($0, source.record($1)?.count ?? 0) }
    log = AuditLog(largestStored: largest)
    scope = WeightScope(source, audit: log)
    self.source = source
  }

  /// What was found up to now.
  public var report: WeightReport {
    let unexpected = scope.unusedKeys.map {
      WeightReport.Finding(key: $0, expected: nil, found: source.record($0))
    }
    return log.report(unexpected: unexpected)
  }
}

/// What does not fit between a model and a checkpoint; every list is sorted by key.
public struct WeightReport: Sendable, Equatable {
  /// One tensor that does not fit.
  public struct Finding: Sendable, Equatable {
    /// The full key.
    public var key: String
    /// The shape the model asks for; nil where it does not.
    public var expected: [Int]?
    /// What the checkpoint has; nil where it has nothing.
    public var found: TensorRecord?

    /// Names a tensor that does not fit.
    public init(key: String, expected: [Int]?, found: TensorRecord?) {
      self.key = key
      self.expected = expected
      self.found = found
    }
  }

  /// How many tensors the model asked for.
  public var expectedCount: Int
  /// Asked for, not stored.
  public var missing: [Finding]
  /// Stored with another shape.
  public var misshapen: [Finding]
  /// Stored in a type that is not computed with.
  public var wrongType: [Finding]
  /// Stored, not asked for.
  public var unexpected: [Finding]

  /// Whether the model can be loaded, as far as keys, shapes and types tell.
  public var fits: Bool {
    missing.isEmpty && misshapen.isEmpty && wrongType.isEmpty && unexpected.isEmpty
  }
}

/// The record behind a ``WeightAudit``.
final class AuditLog: Sendable {
  private struct State {
    var expected: [String: (shape: [Int], found: TensorRecord?)] = [:]
    var zeros: Tensor?
  }

  /// Shapes come from a configuration file here, unchecked by any stored tensor; 2^28 floats are a gibibyte.
  static let elementLimit = 1 << 28

  private let largestStored: Int
  private let state = Mutex(State())

  init(largestStored: Int) {
    self.largestStored = min(largestStored, Self.elementLimit)
  }

  /// Notes what was asked for and what is there, and gives zeros of the shape asked for.
  func placeholder(
    _ key: String, _ shape: [Int], found: TensorRecord?, file: String
  ) throws -> Tensor {
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, length >= 0, product <= Self.elementLimit else {
        throw CheckpointError(
          .wrongShape, file: file, key: key,
          "the configuration implies shape \(shape), more than the \(Self.elementLimit) elements "
            + "that are compared; found \(found.map { "\($0.shape)" } ?? "no such tensor")")
      }
      count = product
    }
    return state.withLock { state in
      state.expected[key] = (shape, found)
      let zeros: Tensor
      if let block = state.zeros, block.count >= count {
        zeros = block
      } else {
        zeros = Tensor.zeros([max(count, largestStored)])
        state.zeros = zeros
      }
      return zeros.rows(0..<count).reshaped(shape)
    }
  }

  func report(unexpected: [WeightReport.Finding]) -> WeightReport {
    state.withLock { state in
      var report = WeightReport(
        expectedCount: state.expected.count, missing: [], misshapen: [], wrongType: [],
        unexpected: unexpected)
      for (key, (shape, found)) in state.expected.sorted(by: { $0.key < $1.key }) {
        let finding = WeightReport.Finding(key: key, expected: shape, found: found)
        if found == nil {
          report.missing.append(finding)
        } else if found?.shape != shape {
          report.misshapen.append(finding)
        } else if found?.type.isComputable == false {
          report.wrongType.append(finding)
        }
      }
      return report
    }
  }
}
