import Foundation
import Generation

/// The Templates folder of this checkout.
let checkoutTemplates = URL(filePath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "Templates").path

/// The library of this checkout.
func checkoutLibrary() throws -> TemplateLibrary {
  try TemplateLibrary(explicit: checkoutTemplates)
}

/// Runs `body` with a fresh folder that is removed afterwards.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Reads `text` as a template file.
func templateSet(_ text: String) throws -> TemplateSet {
  try withTemporaryFolder { folder in
    try text.write(toFile: folder + "/set.yaml", atomically: false, encoding: .utf8)
    return try TemplateSet(file: folder + "/set.yaml", name: "set")
  }
}

/// Reads `text` as a vocabulary file.
func vocabulary(_ text: String, suffix: String = "yaml") throws -> Vocabulary {
  try withTemporaryFolder { folder in
    try text.write(toFile: "\(folder)/list.\(suffix)", atomically: false, encoding: .utf8)
    return try Vocabulary(file: "\(folder)/list.\(suffix)", name: "list")
  }
}
