/// Files of weights in the formats that are read, told apart by their contents.
public enum WeightFile {
  /// Opens a safetensors file or a checkpoint of `torch.save`.
  ///
  /// - Throws: ``CheckpointError`` where the file is neither, or broken.
  public static func open(_ path: String) throws -> any WeightSource {
    let file = try MappedFile(path: path)
    let head = try file.copiedBytes(0..<min(16, file.byteCount))
    if head.starts(with: [0x50, 0x4B]) { return try PickleFile(path: path) }
    if head.first == 0x80 {
      throw CheckpointError(
        .unsupported, file: path,
        "a bare pickle, as PyTorch before 1.6 wrote it; only its zip format is read: load it in PyTorch and save the "
          + "state_dict anew with torch.save, or as safetensors")
    }
    // The header's length is below 100 MB, so the four high bytes of the first eight are zero.
    guard head.count > 8, head[8] == UInt8(ascii: "{"), head[4..<8].allSatisfy({ $0 == 0 }) else {
      throw CheckpointError(
        .malformed, file: path,
        "neither safetensors nor a PyTorch checkpoint (.pth, .pt, .ckpt); found bytes "
          + head.prefix(4).map { String($0, radix: 16) }.joined(separator: " "))
    }
    return try SafetensorsFile(path: path)
  }
}
