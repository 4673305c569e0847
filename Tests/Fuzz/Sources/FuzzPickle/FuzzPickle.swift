import Checkpoints
import FuzzSupport

/// The entries beside the pickle.
private let storages = [("0", 48), ("1", 8), ("2", 0)].map { key, count in
  ("x/data/\(key)", (0..<count).map { UInt8($0) })
}

/// The pickle alone, in a sound archive with three storages.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let pickle = Array(UnsafeBufferPointer(start: bytes, count: count))
  return read(zipArchive([("x/data.pkl", pickle)] + storages), PickleFile.init(path:))
}
