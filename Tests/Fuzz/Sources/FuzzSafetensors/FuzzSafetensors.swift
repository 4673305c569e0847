import Checkpoints
import FuzzSupport

/// The whole file: header, ranges and tensors, by way of the sniffing of formats.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  read(Array(UnsafeBufferPointer(start: bytes, count: count)), WeightFile.open)
}
