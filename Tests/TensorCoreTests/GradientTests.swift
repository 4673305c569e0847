import TensorCore
import TestSupport
import Testing

/// Every backward rule against central differences and against PyTorch (Tests/Fixtures/training/generate.py).
@Suite struct GradientTests {
  @Test(arguments: GradientCase.all + GradientCase.differencesOnly)
  func centralDifferencesAgree(_ operation: GradientCase) throws {
    var random = SeededGenerator(seed: 91)
    var inputs: [String: Tensor] = [:]
    for (key, shape) in operation.shapes.sorted(by: { $0.key < $1.key }) {
      let drawn = random.tensor(shape)
      inputs[key] = operation.avoidsZero ? drawn.mapped { $0 < 0 ? $0 - 0.5 : $0 + 0.5 } : drawn
    }
    let weights = random.tensor(operation(inputs).shape)
    // The loss is added up in double precision, so that only the operation itself rounds.
    func loss(_ inputs: [String: Tensor]) -> Double {
      zip(operation(inputs).values, weights.values).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    let tracked = inputs.filter { !operation.constants.contains($0.key) }.mapValues { $0.tracked() }
    let result = operation(inputs.merging(tracked) { $1 })
    #expect(result.isTracked)
    let gradients = result.gradients(seed: weights)
    for (key, leaf) in tracked.sorted(by: { $0.key < $1.key }) {
      let found = try #require(gradients[leaf]).values
      let elements =
        leaf.count <= 30 ? Array(0..<leaf.count) : (0..<30).map { $0 * leaf.count / 30 }
      var expected: [Float] = []
      for element in elements {
        // Two distances, combined so that the error falls with the fourth power.
        func slope(_ distance: Float) -> Double {
          func at(_ sign: Float) -> Double {
            var values = leaf.values
            values[element] += sign * distance
            return loss(inputs.merging([key: Tensor(values, shape: leaf.shape)]) { $1 })
          }
          return (at(1) - at(-1)) / (2 * Double(distance))
        }
        expected.append(Float((4 * slope(0x1p-5) - slope(0x1p-4)) / 3))
      }
      let largest = max(expected.map(abs).max() ?? 0, 0.1)
      let difference = zip(elements, expected).map { abs(found[$0] - $1) }.max() ?? 0
      print(
        "central differences \(operation.name) \(key): \(difference / largest) of the largest (limit 0.001)"
      )
      #expect(difference <= 1e-3 * largest, "\(operation.name) \(key)")
    }
  }

  @Test(arguments: GradientCase.all)
  func pyTorchAgrees(_ operation: GradientCase) throws {
    let fixture = try Fixture("training/layers.safetensors")
    func stored(_ key: String, isMap: Bool) throws -> Tensor {
      let name = "\(operation.name).\(key)"
      return isMap ? try fixture.map(name) : try fixture.tensor(name)
    }
    let inputs = try Dictionary(
      uniqueKeysWithValues: operation.shapes.keys.map { key in
        let value = try stored(key, isMap: key.hasPrefix("map"))
        return (key, operation.constants.contains(key) ? value : value.tracked())
      })
    let isMap = operation.shapes["mapx"] != nil
    let result = operation(inputs)
    let expected = try stored("out", isMap: isMap)
    #expect(Difference(result, expected).keeps(within: .layer, operation.name))
    let seed = try stored("g", isMap: isMap).reshaped(result.shape)
    let gradients = result.gradients(seed: seed)
    for (key, leaf) in inputs where leaf.isTracked {
      let expected = try stored("grad.\(key)", isMap: key.hasPrefix("map"))
      #expect(
        Difference(try #require(gradients[leaf]), expected)
          .keeps(within: .layer, "gradient \(operation.name) \(key)"))
    }
  }

  @Test func inferenceRemembersNothing() {
    var random = SeededGenerator(seed: 92)
    for operation in GradientCase.all + GradientCase.differencesOnly {
      let inputs = operation.shapes.mapValues { random.tensor($0) }
      #expect(!operation(inputs).isTracked, "\(operation.name)")
    }
    let leaf = random.tensor([3]).tracked()
    #expect((leaf + leaf).isTracked && !(leaf + leaf).untracked().isTracked)
    #expect((leaf + leaf).untracked().sum().gradients()[leaf] == nil)
  }

  @Test func aTrackedResultHasTheBytesOfInference() {
    var random = SeededGenerator(seed: 93)
    // Products of one tap are left out: tracked, they are OpenBLAS's.
    for operation in GradientCase.norms + GradientCase.activations + GradientCase.mixing
      + GradientCase.moving + GradientCase.losses
    {
      let inputs = operation.shapes.mapValues { random.tensor($0) }
      let tracked = operation(inputs.mapValues { $0.tracked() })
      #expect(tracked.values == operation(inputs).values, "\(operation.name)")
    }
  }

  @Test func trackedTensorsAreExactAtEveryPrecision() {
    var random = SeededGenerator(seed: 95)
    for operation in GradientCase.all + GradientCase.differencesOnly {
      let inputs = operation.shapes.mapValues { random.tensor($0).tracked() }
      let seed = random.tensor(operation(inputs).shape)
      func pass(_ precision: Precision) -> [[Float]?] {
        precision.scoped {
          let result = operation(inputs)
          let gradients = result.gradients(seed: seed)
          return [result.values] + inputs.values.map { gradients[$0]?.values }
        }
      }
      #expect(pass(.default) == pass(.exact), "\(operation.name)")
    }
    let weight = random.tensor([4, 3, 3, 3])
    func byteCount(_ weight: Tensor) -> Int {
      PackedWeights(convolution: weight, storedAs: .float16, precision: .default).elementByteCount
    }
    #expect(byteCount(weight.tracked()) == 4)
    #expect(byteCount(weight) == 2)
  }

  @Test func largeProductsAgreeWithAPlainReference() throws {
    var random = SeededGenerator(seed: 94)
    // Sizes on both sides of what is cut into tiles, and into runs of rows.
    for (rows, inputs, outputs) in [(3, 300, 40), (200, 130, 150), (2100, 40, 33), (64, 64, 700)] {
      let x = random.tensor([rows, inputs]).tracked()
      let w = random.tensor([outputs, inputs]).tracked()
      let g = random.tensor([rows, outputs])
      let gradients = linear(x, PackedWeights(linear: w)).gradients(seed: g)
      let (xv, wv, gv) = (x.values, w.values, g.values)
      let forX = Tensor(shape: x.shape) { out in
        for i in 0..<out.count {
          out[i] = Float(
            (0..<outputs).reduce(0.0) {
              $0 + Double(gv[i / inputs * outputs + $1]) * Double(wv[$1 * inputs + i % inputs])
            })
        }
      }
      let forW = Tensor(shape: w.shape) { out in
        for i in 0..<out.count {
          out[i] = Float(
            (0..<rows).reduce(0.0) {
              $0 + Double(gv[$1 * outputs + i / inputs]) * Double(xv[$1 * inputs + i % inputs])
            })
        }
      }
      #expect(Difference(try #require(gradients[x]), forX).ofRange < 1e-5)
      #expect(Difference(try #require(gradients[w]), forW).ofRange < 1e-5)
    }
  }

  @Test func dropoutKeepsTheExpectation() {
    let x = Tensor(repeating: 1, shape: [40_000])
    let streams = RandomStreams(seed: 8)
    let first = dropout(x, rate: 0.25, streams: streams, stream: 1)
    let zeros = first.values.filter { $0 == 0 }.count
    #expect(abs(Double(zeros) / 40_000 - 0.25) < 0.01)
    #expect(abs(first.mean().scalarValue - 1) < 0.02)
    #expect(first.values == dropout(x, rate: 0.25, streams: streams, stream: 1).values)
    #expect(first.values != dropout(x, rate: 0.25, streams: streams, stream: 2).values)
    #expect(dropout(x, rate: 0, streams: streams, stream: 1).values == x.values)
  }
}
