import ArgumentParser
import CanonicalJSON
import Generation
import TextConditioning

/// `triptych tokenize`: text to token ids.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Prints the token ids of texts, one line of JSON each.",
    discussion: """
      The input holds one JSON string a line; each gives a line {"ids":[…]} with the ids the text encoder gets: \
      begin, text, end and padding.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var embeddings: EmbeddingOptions
  @OptionGroup var runtime: RuntimeOptions

  @Option(name: .long, help: ArgumentHelp("File with one JSON string a line.", valueName: "file"))
  var input: String

  func run() throws {
    let tokenizer = try model.tokenizer()
      .adding(ModelAdapters(embeddings: embeddings.embedding).words)
    var count = 0
    try LineReader.forEachLine(of: input) { bytes, line in
      guard !bytes.isEmpty else { return }
      let ids = tokenizer(try text(Array(bytes), line))
      try Console.result(.object([.init("ids", .array(ids.map { .integer(Int64($0)) }))]))
      count += 1
    }
    if runtime.json {
      try runtime.finish([.init("lines", .integer(Int64(count)))], text: "")
    }
  }

  private func text(_ bytes: [UInt8], _ line: Int) throws -> String {
    let place = "\(input):\(line)"
    do {
      let value = try JSONValue.parse(bytes)
      guard let text = value.string else {
        throw GenerationError(.malformed, place, "found \(value.kind), expected a JSON string")
      }
      return text
    } catch let error as JSONError {
      throw GenerationError(.malformed, place, "not JSON: \(error)")
    }
  }
}
