extension HostileFile {
  /// Files that are something else than they seem, and what the rules of safetensors leave.
  public static let other: [HostileFile] = [
    text("empty", "the file is empty", ""), text("one-byte", "neither safetensors nor", "P"),
    text("two-bytes-of-a-zip", "without its directory at the end", "PK"),
    text(
      "large-file-pointer", "neither safetensors nor",
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4265380512\n"),
    text("web-page", "neither safetensors nor", "<!DOCTYPE html><html><title>404</title></html>"),
    HostileFile("other-bare-pickle", "a bare pickle") { [0x80, 2, 0x4E, 0x2E] },
    HostileFile("other-gzip", "neither safetensors nor") { [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] },
    HostileFile("other-gguf", "neither safetensors nor") {
      Array("GGUF".utf8) + [3, 0, 0, 0, 0, 0]
    },
    HostileFile("other-zeros", "neither safetensors nor") { [UInt8](repeating: 0, count: 4096) },
    safetensors(
      "header-as-long-as-a-zip-says", "the header claims 67324752 bytes", "{}", [], 0x0403_4B50),
    safetensors("header-length-one-short", "the header is not valid", "{}", [], 1),
    safetensors("half-precision-of-8-bits", "F8_E4M3", header("F8_E4M3", "[4]", 4), [0, 0, 0, 0]),
    safetensors("not-a-number", "is NaN", header("F32", "[1]", 4), [0, 0, 0xC0, 0x7F]),
    safetensors("infinite-half", "is inf", header("F16", "[1]", 2), [0, 0x7C]),
    safetensors("infinite-brain-half", "is -inf", header("BF16", "[1]", 2), [0x80, 0xFF]),
    safetensors("shape-in-scientific-notation", "whole number", header("U8", "[1e0]", 1), [0]),
    safetensors(
      "surrogate-alone", "the header is not valid",
      "{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", []),
    safetensors(
      "control-character-in-a-name", "the header is not valid",
      "{\"a\u{1B}[2J\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", []),
    safetensors(
      "metadata-deep", "expected a string", "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", []),
  ]

  private static func text(_ name: String, _ says: String, _ text: String) -> HostileFile {
    HostileFile("other-" + name, says) { Array(text.utf8) }
  }

  /// A header text and the data behind it; the length that is claimed, where it is not the truth.
  private static func safetensors(
    _ name: String, _ says: String, _ header: String, _ data: [UInt8], _ length: Int? = nil
  ) -> HostileFile {
    HostileFile("safetensors-" + name, says) {
      ZipArchive.little(length ?? header.utf8.count, 8) + Array(header.utf8) + data
    }
  }

  private static func header(_ type: String, _ shape: String, _ end: Int) -> String {
    "{\"w\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[0,\(end)]}}"
  }
}
