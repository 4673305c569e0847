package import TensorCore
import TextConditioning

/// Prompts to what the denoiser listens to; a prompt is encoded alone and remembered for a while.
package final class TextConditioner {
  private static let memory = 64
  private let tokenizer: CLIPTokenizer
  private let encoder: CLIPTextEncoder
  private var encoded: [String: Tensor] = [:]

  init(tokenizer: CLIPTokenizer, encoder: CLIPTextEncoder) throws {
    try encoder.checkFits(tokenizer)
    self.tokenizer = tokenizer
    self.encoder = encoder
  }

  /// One row a prompt, [n, T, D].
  package func callAsFunction(_ prompts: [String]) -> Tensor { joinedRows(prompts.map(row)) }

  /// Tokens of a prompt that the encoder does not see.
  func surplus(_ prompt: String) -> Int {
    max(0, tokenizer.encode(prompt).count - (tokenizer.length - 2))
  }

  private func row(_ prompt: String) -> Tensor {
    if let row = encoded[prompt] { return row }
    if encoded.count >= Self.memory { encoded.removeAll() }
    let row = encoder([tokenizer(prompt)])
    encoded[prompt] = row
    return row
  }
}
