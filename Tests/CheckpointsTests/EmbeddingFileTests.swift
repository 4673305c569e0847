import Checkpoints
import TensorCore
import TestSupport
import Testing

@Suite struct EmbeddingFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ tensors: [String: Tensor], to name: String = "e.safetensors") throws
    -> String
  {
    var writer = SafetensorsWriter()
    for (key, tensor) in tensors { writer.add(key, tensor) }
    try writer.write(to: folder[name])
    return folder[name]
  }

  private func pickle(_ members: [(String, [UInt8])]) throws -> String {
    try folder.write(Pickled.file(Pickled.dictionary(members)), to: "style.pt")
  }

  private static let vectors = Pickled.tensor(
    Pickled.storage("0", count: 12), shape: [3, 4], strides: [4, 1])

  @Test func filesOfAutomatic1111AreNamedInsideOrByTheirOwnName() throws {
    let param = ("string_to_param", Pickled.dictionary([("*", Self.vectors)]))
    let named = try EmbeddingFile(path: try pickle([param, ("name", Pickled.string("mine"))]))
    #expect(named.word == "mine" && named.vectors.shape == [3, 4])
    #expect(named.vectors.values == (0..<12).map(Float.init))
    #expect(try EmbeddingFile(path: try pickle([param])).word == "style")
    let bare = try write(["emb_params": Tensor.zeros([2, 4])], to: "my.style.safetensors")
    #expect(try EmbeddingFile(path: bare).word == "my.style")
    #expect(try EmbeddingFile(path: bare, word: "<w>").word == "<w>")
  }

  @Test func oneTensorIsNamedByItsKey() throws {
    let file = try EmbeddingFile(path: try write(["<a b>": Tensor.zeros([4])]))
    #expect(file.word == "<a b>" && file.vectors.shape == [1, 4])
    #expect(try EmbeddingFile(path: try pickle([("<t>", Self.vectors)])).word == "<t>")
  }

  @Test func otherFilesAreRefused() throws {
    let large = try refusal {
      try EmbeddingFile(
        path: try write(["clip_l": Tensor.zeros([1, 8]), "clip_g": Tensor.zeros([1, 8])]))
    }
    #expect(large.code == .wrongShape && large.message.contains("Stable Diffusion XL"))
    let several = try refusal {
      try EmbeddingFile(path: try write(["a": Tensor.zeros([8]), "b": Tensor.zeros([8])]))
    }
    #expect(several.message.contains("no textual-inversion embedding: it holds 2 tensor(s)"))
    let lora = try refusal {
      try EmbeddingFile(path: try write(["unet.x.lora_A.weight": Tensor.zeros([8])]))
    }
    #expect(lora.code == .unsupported)
    let state = try refusal {
      try EmbeddingFile(
        path: try pickle([("state_dict", Pickled.dictionary([("w", Self.vectors)]))]))
    }
    #expect(state.code == .unsupported)
  }

  @Test(arguments: [[1025, 1], [0, 4], [1, 16_385], [1, 1, 4]])
  func shapesAreChecked(shape: [Int]) throws {
    let error = try refusal { try EmbeddingFile(path: try write(["w": Tensor.zeros(shape)])) }
    #expect(error.code == .wrongShape && error.message.contains("\(shape)"))
  }

  @Test(arguments: ["", " w", "w\n", "a\u{7}b", String(repeating: "w", count: 257)])
  func wordsThatNoPromptCanHoldAreRefused(word: String) throws {
    let path = try write(["w": Tensor.zeros([4])])
    let error = try refusal { try EmbeddingFile(path: path, word: word) }
    #expect(error.code == .malformed && error.message.contains("expected 1 to 256 bytes"))
  }
}
