public import Checkpoints
import Glibc
import TensorCore

/// A file in memory whose contents are replaced for each input: the readers take paths and map files.
private final class InputFile: Sendable {
  private let descriptor: Int32
  let path: String

  init() {
    let name = "/triptych-fuzz-\(getpid())"
    descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
    precondition(descriptor >= 0, "shm_open failed with \(errno)")
    // The descriptor alone keeps it.
    shm_unlink(name)
    path = "/proc/self/fd/\(descriptor)"
  }

  func replace(with bytes: [UInt8]) {
    precondition(ftruncate(descriptor, 0) == 0, "ftruncate failed with \(errno)")
    let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    precondition(count == bytes.count, "wrote \(count) of \(bytes.count) bytes")
  }
}

private let file = InputFile()

/// Has a file read, as libFuzzer's `LLVMFuzzerTestOneInput` asks.
///
/// It must either open, and each of its tensors then read or be refused, or end in a ``CheckpointError`` of one line.
/// All else ends the program, and libFuzzer keeps the input.
///
/// - Parameters:
///   - bytes: what stands in the file.
///   - open: opens the file under a path.
/// - Returns: 0, which libFuzzer expects.
public func read(_ bytes: [UInt8], _ open: (String) throws -> any WeightSource) -> CInt {
  file.replace(with: bytes)
  do {
    let source = try open(file.path)
    _ = source.parameterCount + source.typeCounts.count
    for key in source.keys {
      guard let record = source.record(key) else { preconditionFailure("no record of \(key)") }
      do {
        let tensor = try source.tensor(key)
        precondition(tensor.shape == record.shape, "\(tensor.shape), recorded as \(record.shape)")
      } catch {
        check(error)
      }
      guard let whole = source as? SafetensorsFile else { continue }
      do {
        let numbers =
          try record.type.isComputable || record.type == .float64
          ? whole.doubles(key).count
          : whole.integers(key).count
        precondition(numbers == record.count, "\(numbers) numbers, recorded as \(record.shape)")
      } catch {
        check(error)
      }
    }
  } catch {
    check(error)
  }
  return 0
}

private func check(_ error: any Error) {
  guard let error = error as? CheckpointError else {
    preconditionFailure("another error: \(error)")
  }
  let line = error.description
  precondition(line.utf8.allSatisfy { $0 >= 0x20 }, "not one line: \(line)")
  precondition(line.utf8.count <= 4096, "a line of \(line.utf8.count) bytes")
  precondition(
    [.malformed, .unsupported, .notFinite].contains(error.code), "\(error.code): \(line)")
}
