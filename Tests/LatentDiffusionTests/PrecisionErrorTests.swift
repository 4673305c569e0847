import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// What default precision costs: its prediction against the exact one.
struct PrecisionError {
  /// Root of the sum of squared differences over that of the exact values.
  let ofNorm: Double
  /// The largest difference over the range of the exact values.
  let ofRange: Float

  /// The bound that default precision keeps, on both.
  static let limit = 1e-2

  init(_ found: Tensor, exact: Tensor) {
    ofRange = Difference(found, exact).ofRange
    var (difference, norm) = (0.0, 0.0)
    for (a, b) in zip(found.values, exact.values) {
      difference += Double(a - b) * Double(a - b)
      norm += Double(b) * Double(b)
    }
    ofNorm = (difference / norm).squareRoot()
  }

  func keeps(_ label: String) -> Bool {
    print("default precision, \(label): \(ofNorm) of the norm, at most \(ofRange) of the range")
    return ofNorm <= Self.limit && Double(ofRange) <= Self.limit
  }
}

@Suite("The error of default precision")
struct PrecisionErrorTests {
  @Test(arguments: TinyModel.allCases, KernelLevel.available)
  func tinyPredictionsKeepToTheBound(model: TinyModel, level: KernelLevel) throws {
    let fixture = try Fixture("diffusion/unet-\(model.rawValue).safetensors")
    func prediction(_ precision: Precision) throws -> Tensor {
      try level.scoped {
        try precision.scoped {
          try model.unet()(
            fixture.map("square.latents"), timesteps: fixture.integers("square.times"),
            text: fixture.tensor("square.text"))
        }
      }
    }
    let exact = try prediction(.exact)
    let error = PrecisionError(try prediction(.default), exact: exact)
    let isKept = error.keeps("\(model.rawValue), \(level)")
    if level.multipliesBFloat16 {
      // Of these narrow random networks the error is half as much again as the bound; the issue ends when it is kept.
      withKnownIssue("default precision misses its bound on the tiny models") { #expect(isKept) }
    } else {
      #expect(isKept)
    }
    #expect((error.ofNorm > 0) == level.multipliesBFloat16)
  }
}
