import Checkpoints
import Foundation
import Imaging
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

@Suite("SED at small sizes")
struct SmallSEDTests {
  private static let model = PublishedSED.small
  private let golden: Golden
  private let network: SED

  init() throws {
    golden = Golden(try Fixture("openvocabulary/sed-small.safetensors"), "")
    network = try SEDFile(Self.model.weights(seed: 1)).network()
  }

  private func image(_ shape: [Int] = [1, 3, 64, 96]) -> Tensor {
    Formula.tensor("input.image", shape, .input, seed: 1).channelsLast()
  }

  @Test func theTrunkWithSEDLsProjectionAgreesWithTimm() throws {
    let features = try network.features(image())
    for (index, map) in features.maps.enumerated() {
      try golden.expect(map, "large.res\(2 + index)", within: 1e-4)
    }
    try golden.expect(features.dense, "large.clip_vis_dense", within: 1e-4)
  }

  @Test func noClassDependsOnHowClassesAreCutOrOnThreads() throws {
    let classes = Self.model.classes("classes", count: 11, seed: 3)
    let features = try network.features(image())
    let threads = Parallel.threadCount
    defer { Parallel.threadCount = threads }
    for options in [SEDOptions(), SEDOptions(rejection: 2), SEDOptions(pooling: 2)] {
      let whole = try network.decode(features, classes: classes, options)
      for (chunk, threads) in [(1, 1), (2, 3), (4, 2), (11, 1), (50, 2)] {
        Parallel.threadCount = threads
        var cut = options
        cut.classChunk = chunk
        let found = try network.decode(features, classes: classes, cut)
        #expect(found.logits.values == whole.logits.values, "\(options) in chunks of \(chunk)")
        #expect(found.survivors == whole.survivors)
      }
    }
  }

  @Test func classesMayComeInAnyOrder() throws {
    let classes = Self.model.classes("classes", count: 5, seed: 4)
    let order = [3, 0, 4, 1, 2]
    let turned = joinedRows(order.map { classes.rows($0..<$0 + 1) })
    let logits = try network(image(), classes: classes).logits
    let other = try network(image(), classes: turned).logits
    let (a, b) = (logits.values, other.values)
    var worst: Float = 0
    for pixel in 0..<a.count / 5 {
      for (place, label) in order.enumerated() {
        worst = max(worst, abs(a[pixel * 5 + label] - b[pixel * 5 + place]))
      }
    }
    #expect(worst < 1e-4, "\(worst)")
  }

  @Test func aPictureIsSeenTheSameInAnyBatch() throws {
    let classes = Self.model.classes("classes", count: 3, seed: 5)
    let batch = image([3, 3, 64, 32])
    let together = try network(batch, classes: classes, SEDOptions(auxiliaryLogits: true))
    for index in 0..<3 {
      let alone = try network(batch.rows(index..<index + 1), classes: classes)
      #expect(alone.logits.values == together.logits.rows(index..<index + 1).values)
    }
    #expect(together.auxiliaryLogits.map(\.shape) == [[3, 2, 1, 3], [3, 4, 2, 3], [3, 8, 4, 3]])
  }

  @Test func rejectionOfNoOneChangesNothing() throws {
    let classes = Self.model.classes("classes", count: 4, seed: 6)
    let all = try network(image(), classes: classes)
    let none = try network(image(), classes: classes, SEDOptions(rejection: 4))
    #expect(all.logits.values == none.logits.values && none.evaluatedClasses == [4, 4, 4])
    let few = try network(
      image(), classes: classes, SEDOptions(rejection: 1, auxiliaryLogits: true))
    #expect(few.evaluatedClasses == few.evaluatedClasses.sorted(by: >))
    #expect(few.auxiliaryLogits.count == 3)
  }

  @Test func whatCannotBeMetIsRefusedInOneLine() throws {
    let classes = Self.model.classes("classes", count: 2, seed: 7)
    func refusal(_ body: () throws -> SEDPrediction) -> String {
      do {
        _ = try body()
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(
      refusal { try network(image([2, 3, 32, 32]), classes: classes, SEDOptions(rejection: 1)) }
        .contains("one picture at a time"))
    #expect(
      refusal { try network(image([1, 3, 48, 32]), classes: classes) }.contains("multiples of 32"))
    #expect(
      refusal { try network(image([1, 3, 32, 64]), classes: classes, SEDOptions(pooling: 2)) }
        .contains("expected sides from 64"))
    #expect(
      refusal { try network(image(), classes: classes.rows(0..<0)) }.contains("[classes, 3, 16]"))
    #expect(
      refusal { try network(image(), classes: Tensor.zeros([2, 4, 16])) }.contains("[2, 4, 16]"))
  }

  @Test(arguments: [(900, 700), (120, 200), (1000, 50)])
  func picturesArePreparedAsPillowAndPyTorchDo(width: Int, height: Int) throws {
    let name = "picture.\(width)x\(height)"
    let values = Formula.tensor(name, [height, width, 3], .input, seed: 1).values
    let picture = try PixelImage(
      width: width, height: height, channels: .rgb,
      samples: values.map { UInt8(min(255, ($0 + 1) * 128)) })
    let size = SEDPreprocessing.resizedSize(width: width, height: height)
    #expect(try golden.fixture.integers("\(name).size") == [size.height, size.width])
    let resized = try picture.smoothlyResized(width: size.width, height: size.height)
    var kept: [UInt8] = []
    for y in stride(from: 0, to: size.height, by: 23) {
      for x in stride(from: 0, to: size.width, by: 23) {
        kept += resized.samples[(y * size.width + x) * 3..<(y * size.width + x) * 3 + 3]
      }
    }
    #expect(try golden.fixture.bytes("\(name).bytes_every_23rd") == kept)
    try golden.expect(try SEDPreprocessing.input(picture), "\(name).input", within: 1e-5)
  }

  @Test func probabilitiesAreBroughtToThePictureAsPyTorchDoes() throws {
    let x = Formula.tensor("probabilities", [1, 3, 12, 20], .input, seed: 1).channelsLast()
    let probabilities = x.mapped { $0 / 2 + 0.5 }
    try golden.expect(
      bilinearResized(probabilities, height: 31, width: 45), "output", within: 1e-5)
  }

  @Test func namesOfOneThingAreTold() {
    #expect(ClassText.synonyms("bed ") == ["bed "])
    #expect(ClassText.synonyms("door, double door") == ["door", "double door"])
    #expect(ClassText.synonyms("a,b, c") == ["a,b", "c"])
  }
}
