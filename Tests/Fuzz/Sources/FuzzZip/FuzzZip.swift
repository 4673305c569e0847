import Checkpoints
import FuzzSupport

/// The whole file of torch.save: the archive's directory, and what lies in it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  read(Array(UnsafeBufferPointer(start: bytes, count: count)), PickleFile.init(path:))
}
