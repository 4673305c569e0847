import Checkpoints
import Glibc
import LatentDiffusion

/// About how much memory a run takes, before it takes it.
public struct MemoryEstimate: Sendable, Equatable {
  /// Bytes of weights, in single precision.
  public let weights: Int
  /// Bytes of activations at the peak.
  public let activations: Int

  /// Bytes in all.
  public var total: Int { Self.base + weights + activations }

  /// Estimates the peak: the denoiser at its finest level on the guided batch, or the decoder at full size on one
  /// picture, whichever is more.
  ///
  /// - Throws: `CheckpointError` where the weights cannot be opened.
  public init(model: StableDiffusionModel, settings: SamplingSettings, batch: Int) throws {
    var parameters = 0
    for component in ["text_encoder", "unet", "vae"] {
      parameters += try model.parts.weights(component).parameterCount
    }
    weights = 4 * parameters
    let pixels = settings.width * settings.height
    let cells = pixels / (model.pixelsPerCell * model.pixelsPerCell)
    let guided = settings.guidance > 1 ? 2 * batch : batch
    let finest = model.unetConfiguration.widths.first ?? 1
    // In maps of the finest level, as measured: skip connections, a block's own, feed-forward, pooled buffers.
    let denoiser = 40 * guided * cells * finest
    let widths = model.autoencoderConfiguration.widths
    let decoder = 8 * pixels * (widths.count > 1 ? widths[1] : widths.first ?? 1)
    activations = 4 * max(denoiser, decoder)
  }

  /// Bytes of the program itself, its libraries and the text's tables.
  private static let base = 48 << 20

  /// The machine's memory in bytes, or what the process's control group may use of it.
  public static var machine: Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let total = max(0, pages) * max(0, sysconf(Int32(_SC_PAGESIZE)))
    guard let text = FileAccess.text("/sys/fs/cgroup/memory.max"),
      let limit = Int(text.prefix { $0 != "\n" })
    else { return total }
    return min(total, limit)
  }

  /// Refuses what this machine cannot hold.
  ///
  /// - Throws: ``GenerationError`` with both figures.
  public func check(available: Int = MemoryEstimate.machine) throws {
    guard available > 0, total > available else { return }
    throw GenerationError(
      .usage, "--width, --height, --batch",
      "the run would take about \(Self.text(total)) of memory, this machine has "
        + "\(Self.text(available)); choose smaller ones")
  }

  /// A size as people read it.
  public static func text(_ bytes: Int) -> String {
    let units: [(Double, String)] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    for (size, unit) in units where Double(bytes) >= size {
      let value = Double(bytes) / size
      return "\(value >= 100 ? value.rounded() : (value * 10).rounded() / 10) \(unit)"
    }
    return "\(bytes) bytes"
  }
}
