import Checkpoints
import NeuralLayers
import TensorCore

/// The skip-layer fusion of a stage: a class's map at twice the size, joined with what guides it, through two convolutions.
///
/// The first convolution runs over three things side by side, of which the picture's guidance is the same for all
/// classes: its part of the sum is computed once.
///
/// - Shapes: `x` [T, H, W, C], the picture's guidance [1, 2H, 2W, G], the cost map's [T, 2H, 2W, G] → [T, 2H, 2W, O].
/// - Weights: `up`, `conv.double_conv.{0, 1, 3, 4}`.
/// - Source: xb534/SED `model.py` (`Up`, `DoubleConv`).
struct SEDFusion: Sendable {
  private let up: TransposedConv2D
  private let ofClass: PackedWeights
  private let ofPicture: PackedWeights
  private let norm1: GroupNorm
  private let second: PackedWeights
  private let norm2: GroupNorm

  /// Reads the layer's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  init(_ weights: WeightScope, _ stage: SEDConfiguration.Stage) throws {
    let (inputs, outputs, guidance) = (stage.inputs, stage.outputs, stage.guidance)
    up = try TransposedConv2D(
      weights / "up", inputs: inputs, outputs: inputs - guidance, kernel: 2)
    let convolutions = weights / "conv" / "double_conv"
    let first = convolutions / 0
    let kernels = try first.tensor("weight", [outputs, inputs + guidance, 3, 3])
    let type = first.type(of: "weight") ?? .float32
    let (own, shared) = (0..<inputs - guidance, inputs - guidance..<inputs)
    ofClass = PackedWeights(
      convolution: kernels.inputs(Array(own) + Array(inputs..<inputs + guidance)), storedAs: type)
    ofPicture = PackedWeights(convolution: kernels.inputs(Array(shared)), storedAs: type)
    let groups = outputs / SEDConfiguration.channelsOfGroup
    norm1 = try GroupNorm(convolutions / 1, channels: outputs, groups: groups, epsilon: 1e-5)
    second = try PackedWeights(convolution: convolutions / 3, shape: [outputs, outputs, 3, 3])
    norm2 = try GroupNorm(convolutions / 4, channels: outputs, groups: groups, epsilon: 1e-5)
  }

  /// The picture's part of the first convolution [1, 2H, 2W, O].
  func pictureTerm(_ guidance: Tensor) -> Tensor {
    convolution(guidance, ofPicture, padding: Padding(1))
  }

  /// Applies the layer; `pictureTerm` is what the picture's guidance adds.
  func callAsFunction(_ x: Tensor, costGuidance: Tensor, pictureTerm: Tensor) -> Tensor {
    let joined = joinedChannels([up(x), costGuidance])  // [T, 2H, 2W, C]
    let first = norm1(
      convolution(joined, ofClass, padding: Padding(1), adding: pictureTerm), thenReLU: true)
    return norm2(convolution(first, second, padding: Padding(1)), thenReLU: true)
  }
}

extension Tensor {
  /// Some of a convolution's input channels.
  ///
  /// - Shapes: [O, I, kh, kw] → [O, `chosen`, kh, kw].
  fileprivate func inputs(_ chosen: [Int]) -> Tensor {
    let (outputs, inputs, taps) = (shape[0], shape[1], shape[2] * shape[3])
    return withUnsafeBuffer { x in
      Tensor(shape: [outputs, chosen.count, shape[2], shape[3]]) { out in
        var place = 0
        for output in 0..<outputs {
          for input in chosen {
            for tap in 0..<taps {
              out[place] = x[(output * inputs + input) * taps + tap]
              place += 1
            }
          }
        }
      }
    }
  }
}
