import Checkpoints
public import TensorCore

/// Latents on disk: safetensors, key `latents`, float32 [n, c, h, w] as diffusers lays them out.
///
/// A file to start from holds what diffusers takes as `latents=`: noise of variance 1. A file that is saved holds what
/// diffusers returns for `output_type="latent"`: the sampler's last latents, still times the autoencoder's scale.
public enum LatentsFile {
  /// The tensor's key.
  public static let key = "latents"

  /// Reads latents, channels last.
  ///
  /// - Returns: [n, h, w, c].
  /// - Throws: `CheckpointError` where the file is broken, ``GenerationError`` where the shape is another.
  public static func read(_ path: String, channels: Int) throws -> Tensor {
    let source = try SafetensorsFile(path: path)
    guard let record = source.record(key) else {
      throw GenerationError(
        .malformed, path,
        "has no tensor \"\(key)\"; found \(source.keys.prefix(5).joined(separator: ", "))")
    }
    let shape = record.shape
    guard shape.count == 4, shape[1] == channels, shape.allSatisfy({ $0 > 0 }) else {
      throw GenerationError(
        .malformed, path, "latents: found shape \(shape), expected [n, \(channels), h, w]")
    }
    return try source.tensor(key).channelsLast()
  }

  /// Writes latents [n, h, w, c] in diffusers' layout.
  ///
  /// - Throws: `CheckpointError` where the file cannot be written.
  public static func write(_ latents: Tensor, to path: String) throws {
    var writer = SafetensorsWriter()
    writer.add(key, latents.channelsFirst())
    try writer.write(to: path)
  }
}
