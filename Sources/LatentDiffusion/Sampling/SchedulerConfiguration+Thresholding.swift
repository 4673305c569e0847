public import TensorCore

extension SchedulerConfiguration {
  /// Dynamic thresholding, after Saharia and others, "Photorealistic text-to-image diffusion models" (2022).
  public struct Thresholding: Sendable, Equatable {
    /// The quantile, in 0...1.
    public var ratio: Float
    /// The largest threshold.
    public var maximum: Float

    /// Clips each sample at a quantile of its magnitudes and divides by it.
    ///
    /// - Shapes: clean samples [N, …] → the same.
    public func applied(to clean: Tensor) -> Tensor {
      joinedRows(
        (0..<clean.shape[0]).map { index in
          let own = clean.rows(index..<index + 1)
          let magnitudes = own.values.map(abs).sorted()
          let place = ratio * Float(magnitudes.count - 1)
          let below = min(max(Int(place.rounded(.down)), 0), magnitudes.count - 1)
          let above = min(below + 1, magnitudes.count - 1)
          let weight = place - Float(below)
          let quantile = magnitudes[below] + weight * (magnitudes[above] - magnitudes[below])
          let limit = min(max(quantile, 1), maximum)
          return own.mapped { min(max($0, -limit), limit) / limit }
        })
    }
  }
}
