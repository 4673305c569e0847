import Checkpoints
import Foundation
import Imaging
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

/// How pictures are shown to LSeg, beside the published protocol written plainly.
@Suite struct PublishedProtocolTests {
  private let network: LSeg
  private let labels: LabelList
  private let features: Tensor

  init() throws {
    let source = DictionarySource(TinySegmenter.lseg.tensors())
    network = try Precision.exact.scoped { try LSegFile(source).network() }
    labels = try LabelList(try LabelSource.list("b,a,other,c", place: "test"), place: "test")
    var random = SeededGenerator(seed: 4)
    features = unitVectors(random.tensor([4, 1, TinySegmenter.featureWidth]))
  }

  private func picture(_ width: Int, _ height: Int) throws -> PixelImage {
    var random = SeededGenerator(seed: 9)
    let coarse = try PixelImage(
      width: 7, height: 5, channels: .rgb, samples: random.bytes(7 * 5 * 3))
    return try coarse.resized(width: width, height: height, method: .bilinear)
  }

  /// The scores of all pixels [1, h, w, labels], by the published code's steps.
  private func scores(_ picture: PixelImage, scales: [Double], flips: Bool) -> Tensor {
    let (h, w) = (picture.height, picture.width)
    let normalised = Tensor(
      picture.samples.map { (Float($0) / 255 - 0.5) / 0.5 }, shape: [1, h, w, 3])
    var total = Tensor.zeros([1, h, w, 4])
    for scale in scales {
      let long = Int((520 * scale).rounded(.up))
      let height = h > w ? long : Int(Double(h) * Double(long) / Double(w) + 0.5)
      let width = h > w ? Int(Double(w) * Double(long) / Double(h) + 0.5) : long
      let current = bilinearResized(normalised, height: height, width: width, alignsCorners: true)
      let (ph, pw) = (max(height, 480), max(width, 480))
      let rows = long <= 480 ? 1 : (ph - 480 + 319) / 320 + 1
      let columns = long <= 480 ? 1 : (pw - 480 + 319) / 320 + 1
      var sum = [Float](repeating: 0, count: height * width * 4)
      var count = [Float](repeating: 0, count: height * width)
      for y0 in (0..<rows).map({ $0 * 320 }) {
        for x0 in (0..<columns).map({ $0 * 320 }) {
          for flip in flips ? [false, true] : [false] {
            let crop = crop(current, y0, x0, flip)
            let logits = network.logits(crop, text: features.reshaped([4, features.shape[2]]))
              .values
            for y in y0..<min(y0 + 480, height) {
              for x in x0..<min(x0 + 480, width) {
                let column = flip ? 479 - (x - x0) : x - x0
                if !flip { count[y * width + x] += 1 }
                for k in 0..<4 {
                  sum[(y * width + x) * 4 + k] += logits[((y - y0) * 480 + column) * 4 + k]
                }
              }
            }
          }
        }
      }
      let mean = Tensor(
        sum.enumerated().map { $1 / count[$0 / 4] }, shape: [1, height, width, 4])
      total = total + bilinearResized(mean, height: h, width: w, alignsCorners: true)
    }
    return total
  }

  private func crop(_ image: Tensor, _ y0: Int, _ x0: Int, _ flip: Bool) -> Tensor {
    let (height, width, values) = (image.shape[1], image.shape[2], image.values)
    var out = [Float](repeating: -1, count: 480 * 480 * 3)
    for y in 0..<480 where y0 + y < height {
      for x in 0..<480 where x0 + x < width {
        for k in 0..<3 {
          out[(y * 480 + (flip ? 479 - x : x)) * 3 + k] =
            values[((y0 + y) * width + x0 + x) * 3 + k]
        }
      }
    }
    return Tensor(out, shape: [1, 480, 480, 3])
  }

  /// Compares labels, but where two are as good as equal.
  private func check(
    _ found: SegmentedPicture, _ scores: Tensor, passes: Float, _ comment: Comment
  ) {
    let values = scores.values
    var sums = [Double](repeating: 0, count: 4)
    var different = 0
    for (pixel, id) in found.mask.ids.enumerated() {
      let own = values[pixel * 4..<(pixel + 1) * 4].map { $0 / passes }
      let place = found.findings.firstIndex { $0.label.id == Int(id) } ?? 0
      let top = own.max() ?? 0
      if top - own[place] > 1e-3 { different += 1 }
      sums[place] += 1 / own.reduce(0) { $0 + exp(Double($1) - Double(top)) }
    }
    #expect(different == 0, comment)
    for (finding, sum) in zip(found.findings, sums) where finding.share > 0 {
      let mean = sum / (finding.share * Double(found.mask.ids.count))
      #expect(abs(finding.meanProbability - mean) < 1e-3, comment)
    }
  }

  @Test(arguments: [(90, 50), (30, 70), (64, 64)])
  func oneScaleIsThePublishedCropsAtScaleOne(width: Int, height: Int) throws {
    let picture = try picture(width, height)
    let segmenter = try PictureSegmenter(.lseg(network), labels: labels, features: features)
    check(
      try segmenter(picture), scores(picture, scales: [1], flips: false), passes: 1,
      "\(width)×\(height)")
  }

  @Test func manyScalesAreThePublishedTwelvePasses() throws {
    let picture = try picture(80, 60)
    var settings = SegmenterSettings()
    settings.multiScale = true
    let segmenter = try PictureSegmenter(
      .lseg(network), labels: labels, features: features, settings: settings)
    let expected = scores(picture, scales: [0.5, 0.75, 1, 1.25, 1.5, 1.75], flips: true)
    let found = try segmenter(picture)
    check(found, expected, passes: 12, "multi-scale")
    #expect(found.findings.count { $0.share > 0 } > 1)
  }

  @Test func labelsInGroupsAreTheSame() throws {
    let picture = try picture(60, 40)
    var settings = SegmenterSettings()
    let whole = try PictureSegmenter(
      .lseg(network), labels: labels, features: features, settings: settings)(picture)
    for chunk in [1, 3] {
      settings.classChunk = chunk
      let found = try PictureSegmenter(
        .lseg(network), labels: labels, features: features, settings: settings)(picture)
      #expect(found.mask == whole.mask)
      for (one, other) in zip(found.findings, whole.findings) {
        #expect(abs(one.meanProbability - other.meanProbability) < 1e-5)
      }
    }
  }
}
