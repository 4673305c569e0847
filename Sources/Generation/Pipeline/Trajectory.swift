public import LatentDiffusion
public import MaskGrounding
public import TensorCore

/// The latents that a U-Net saw on the way to a picture, so that it can be shown them, or their mirror image, again.
public struct Trajectory: Sendable {
  /// What the U-Net was shown at one step.
  public struct Point: Sendable {
    /// The step, from 0, the noisiest.
    public var step: Int
    /// Its training timestep, rounded where it lies between two.
    public var timestep: Int
    /// The same as the U-Net is told it.
    public var modelTimestep: Float
    /// The U-Net's input [n, h, w, c].
    public var latents: Tensor

    /// Describes a point.
    public init(step: Int, timestep: Int, modelTimestep: Float? = nil, latents: Tensor) {
      self.step = step
      self.timestep = timestep
      self.modelTimestep = modelTimestep ?? Float(timestep)
      self.latents = latents
    }
  }

  /// The points in the order of the steps.
  public var points: [Point]

  /// Describes a way.
  public init(points: [Point] = []) { self.points = points }

  /// The same of some samples alone.
  public func rows(_ range: Range<Int>) -> Trajectory { mapped { $0.rows(range) } }

  /// The way to the mirror image, left and right exchanged.
  public var mirrored: Trajectory { mapped { $0.mirrored() } }

  private func mapped(_ change: (Tensor) -> Tensor) -> Trajectory {
    Trajectory(
      points: points.map { point in
        var point = point
        point.latents = change(point.latents)
        return point
      })
  }

  /// Shows the U-Net the points that a reading wants to see.
  ///
  /// - Parameters:
  ///   - reading: a reading of a batch of these samples.
  ///   - unet: the network.
  ///   - text: the encoded prompts [n, T, D].
  ///   - unconditionalText: the encoded negative prompts, where the reading's batch has those rows.
  public func show(
    to reading: any MaskReading, unet: UNet, text: Tensor, unconditionalText: Tensor?
  ) {
    let projected = unet.project(text: unconditionalText.map { joinedRows([$0, text]) } ?? text)
    for point in points {
      guard let taps = reading.taps(step: point.step, timestep: point.timestep) else { continue }
      let latents =
        unconditionalText == nil ? point.latents : joinedRows([point.latents, point.latents])
      _ = unet(latents, timesteps: [point.modelTimestep], projectedText: projected, taps: taps)
    }
  }
}

extension Tensor {
  /// The map [n, h, w, c] with left and right exchanged.
  func mirrored() -> Tensor {
    let (n, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
    return withUnsafeBuffer { source in
      Tensor(shape: shape) { out in
        for row in 0..<n * h {
          for x in 0..<w {
            let (from, to) = ((row * w + w - 1 - x) * c, (row * w + x) * c)
            for k in 0..<c { out[to + k] = source[from + k] }
          }
        }
      }
    }
  }
}
