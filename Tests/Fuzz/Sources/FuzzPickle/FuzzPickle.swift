import Checkpoints
import FuzzSupport

/// The pickle alone, in a sound archive with three storages.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let pickle = Array(UnsafeBufferPointer(start: bytes, count: count))
  return read(fuzzedArchive(of: pickle), PickleFile.init(path:))
}
