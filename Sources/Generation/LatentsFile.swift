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
    return channelsLast(try source.tensor(key))
  }

  /// Writes latents [n, h, w, c] in diffusers' layout.
  ///
  /// - Throws: `CheckpointError` where the file cannot be written.
  public static func write(_ latents: Tensor, to path: String) throws {
    var writer = SafetensorsWriter()
    writer.add(key, channelsFirst(latents))
    try writer.write(to: path)
  }

  private static func channelsLast(_ x: Tensor) -> Tensor {
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    return permuted(x, to: [n, h, w, c]) { position in
      let (cell, channel) = (position / c, position % c)
      let (sample, inside) = (cell / (h * w), cell % (h * w))
      return (sample * c + channel) * h * w + inside
    }
  }

  private static func channelsFirst(_ x: Tensor) -> Tensor {
    let (n, h, w, c) = x.dimensions4("latents")
    return permuted(x, to: [n, c, h, w]) { position in
      let (plane, inside) = (position / (h * w), position % (h * w))
      return (plane / c * h * w + inside) * c + plane % c
    }
  }

  private static func permuted(
    _ x: Tensor, to shape: [Int], from source: (Int) -> Int
  ) -> Tensor {
    x.withUnsafeBuffer { values in
      Tensor(shape: shape) { out in
        for position in 0..<out.count { out[position] = values[source(position)] }
      }
    }
  }
}
