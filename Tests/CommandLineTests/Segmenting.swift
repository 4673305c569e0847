import CanonicalJSON
import Foundation
import Imaging
import TestSupport
import Testing

/// A folder with a tiny segmenter, pictures and templates, and `triptych segment` run on them.
struct Segmenting {
  let folder: String
  let architecture: TinySegmenter

  static let tokenizer = Fixture.folder.appendingPathComponent("text/small").path

  init(_ folder: String, _ architecture: TinySegmenter, pickled: Bool = false) throws {
    (self.folder, self.architecture) = (folder, architecture)
    if pickled {
      try Data(architecture.pickled()).write(to: URL(fileURLWithPath: model))
    } else {
      try architecture.write(to: model)
    }
    try Data("templates: [\"a {object}\", \"the {object}.\", \"{object}\"]\n".utf8)
      .write(to: URL(fileURLWithPath: folder + "/three.yaml"))
    try picture("dog", width: 70, height: 41)
  }

  var model: String { folder + "/model" }

  /// What every run on pictures has, small for speed.
  var options: [String] {
    [
      "--model", model, "--tokenizer", Self.tokenizer, "--input-size", "64", "--precision",
      "exact",
    ] + (architecture == .sed ? ["--templates", folder + "/three.yaml"] : [])
  }

  /// Writes a picture; its path.
  @discardableResult
  func picture(_ name: String, width: Int, height: Int, seed: UInt64 = 3) throws -> String {
    var random = SeededGenerator(seed: seed)
    let (start, slope) = (Int(random.next() % 90), Int(random.next() % 5) + 1)
    let samples = (0..<width * height * 3).map { index in
      UInt8((start + index % width * slope + index / width / 3 * 2 + index % 3 * 40) % 256)
    }
    let picture = try PixelImage(width: width, height: height, channels: .rgb, samples: samples)
    let path = "\(folder)/\(name).png"
    try Data(PNGCodec.encode(picture)).write(to: URL(fileURLWithPath: path))
    return path
  }

  func run(
    _ labels: String = "dog,sky,other", to output: String = "out", images: [String]? = nil,
    _ more: [String] = [], keeps: Bool = true
  ) async throws -> Program.Outcome {
    try await Program.run(
      ["segment"] + (images ?? [folder + "/dog.png"])
        + ["--labels", labels, "--output", "\(folder)/\(output)", "--json"] + options + more
        + (keeps ? ["--text-cache", folder + "/cache"] : ["--no-text-cache"]))
  }

  func result(_ outcome: Program.Outcome) throws -> JSONValue {
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
  }

  func mask(_ name: String = "out/dog.png") throws -> LabelMask {
    try PNGCodec.decodeMask(try bytes(name)).pixels
  }

  func lines(_ output: String = "out") throws -> [JSONValue] {
    try bytes(output + "/segments.jsonl").split(separator: UInt8(ascii: "\n"))
      .map { try JSONValue.parse(Array($0)) }
  }
}
