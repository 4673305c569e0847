import Checkpoints
import NeuralLayers
import TensorCore
import TestSupport
import Testing

@Suite struct ConvolutionLayerTests {
  @Test(arguments: [2, 3, 4, 8])
  func transposedConvolutionPutsEachPixelIntoASquare(kernel: Int) throws {
    var random = SeededGenerator(seed: 41)
    let (inputs, outputs) = (5, 7)
    let weight = random.tensor([inputs, outputs, kernel, kernel])
    let bias = random.tensor([outputs])
    let x = random.tensor([2, 3, 4, inputs])
    let layer = try TransposedConv2D(
      WeightScope(DictionarySource(["weight": weight, "bias": bias])), inputs: inputs,
      outputs: outputs, kernel: kernel)
    let (w, b, pixels) = (weight.values, bias.values, x.values)
    let expected = Tensor(shape: [2, 3 * kernel, 4 * kernel, outputs]) { out in
      for index in 0..<out.count {
        let (o, column) = (index % outputs, index / outputs % (4 * kernel))
        // Samples' rows follow each other, and there are a multiple of the kernel's.
        let row = index / outputs / (4 * kernel)
        var sum = Double(b[o])
        for i in 0..<inputs {
          let tap = (row % kernel) * kernel + column % kernel
          sum +=
            Double(pixels[(row / kernel * 4 + column / kernel) * inputs + i])
            * Double(w[(i * outputs + o) * kernel * kernel + tap])
        }
        out[index] = Float(sum)
      }
    }
    #expect(Difference(layer(x), expected).ofRange < 1e-6)
  }

  @Test func aBatchNormIsPartOfItsConvolution() throws {
    var random = SeededGenerator(seed: 42)
    let (inputs, outputs) = (6, 9)
    let weight = random.tensor([outputs, inputs, 3, 3])
    let norm = [
      "weight": random.tensor([outputs], scale: 0.3, mean: 1), "bias": random.tensor([outputs]),
      "running_mean": random.tensor([outputs]),
      "running_var": random.tensor([outputs], scale: 0.4, mean: 1),
    ]
    let x = random.tensor([1, 7, 8, inputs])
    let root = WeightScope(
      DictionarySource(
        Dictionary(uniqueKeysWithValues: norm.map { ("norm.\($0)", $1) })
          .merging(["conv.weight": weight]) { $1 }))
    let folded = try Conv2D(
      root / "conv", norm: root / "norm", inputs: inputs, outputs: outputs, kernel: 3)
    let plain = try Conv2D(root / "conv", inputs: inputs, outputs: outputs, kernel: 3, bias: false)
    let values = norm.mapValues(\.values)
    let convolved = plain(x).values
    let expected = try Tensor(shape: [1, 7, 8, outputs]) { out in
      let (scale, shift) = try (#require(values["weight"]), #require(values["bias"]))
      let (mean, variance) = try (#require(values["running_mean"]), #require(values["running_var"]))
      for index in 0..<out.count {
        let channel = index % outputs
        let deviation = (Double(variance[channel]) + 1e-5).squareRoot()
        let normal = (Double(convolved[index]) - Double(mean[channel])) / deviation
        out[index] = Float(normal * Double(scale[channel]) + Double(shift[channel]))
      }
    }
    #expect(Difference(folded(x), expected).ofRange < 1e-6)
    #expect(root.unusedKeys.isEmpty)
  }
}
