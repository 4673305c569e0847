import Benchmark
import TensorCore

/// The operations that a denoising step of SD 1.5 at 64×64 latents spends its time in, at its sizes, one call each.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .cpuTotal, .instructions], warmupIterations: 1,
    maxDuration: .seconds(3), maxIterations: 20)

  for (side, inputs, outputs) in [
    (64, 320, 320), (32, 640, 640), (16, 1280, 1280), (8, 1280, 1280),
  ] {
    Benchmark("convolution 3×3, 2×\(side)×\(side), \(inputs) → \(outputs)") { benchmark in
      let x = Tensor(repeating: 0.5, shape: [2, side, side, inputs])
      let weights = PackedWeights(
        convolution: Tensor(repeating: 0.01, shape: [outputs, inputs, 3, 3]))
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations {
        blackHole(convolution(x, weights, padding: Padding(1)))
      }
    }
  }

  for (tokens, inputs, outputs) in [
    (8192, 320, 2560), (8192, 1280, 320), (512, 5120, 1280), (154, 768, 3072),
  ] {
    Benchmark("linear, \(tokens) tokens, \(inputs) → \(outputs)") { benchmark in
      let x = Tensor(repeating: 0.5, shape: [tokens, inputs])
      let weights = PackedWeights(linear: Tensor(repeating: 0.01, shape: [outputs, inputs]))
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(linear(x, weights)) }
    }
  }

  for (tokens, keys, width) in [(4096, 4096, 40), (1024, 1024, 80), (4096, 77, 40)] {
    Benchmark("attention, 2×\(tokens) × \(keys), 8 heads of \(width)") { benchmark in
      let queries = Tensor(repeating: 0.1, shape: [2, tokens, 8 * width])
      let memory = Tensor(repeating: 0.1, shape: [2, keys, 8 * width])
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations {
        blackHole(attention(queries: queries, keys: memory, values: memory, heads: 8))
      }
    }
  }

  Benchmark("group norm and SiLU, 2×64×64×320") { benchmark in
    let x = Tensor(repeating: 0.5, shape: [2, 64, 64, 320])
    let one = Tensor(repeating: 1, shape: [320])
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations {
      blackHole(groupNorm(x, groups: 32, scale: one, shift: one, epsilon: 1e-5, thenSiLU: true))
    }
  }

  Benchmark("GEGLU, 8192 × 2·1280") { benchmark in
    let x = Tensor(repeating: 0.5, shape: [8192, 2560])
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(geglu(x)) }
  }
}
