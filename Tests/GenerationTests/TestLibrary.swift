import Foundation
import Generation
import TestSupport

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
  let folder = try TemporaryFolder()
  defer { withExtendedLifetime(folder) {} }
  return try body(folder.path)
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

/// Reads `text` as a file of class weights.
func classWeights(_ text: String, suffix: String = "yaml") throws -> ClassWeights {
  try withTemporaryFolder { folder in
    try text.write(toFile: "\(folder)/weights.\(suffix)", atomically: false, encoding: .utf8)
    return try ClassWeights(file: "\(folder)/weights.\(suffix)")
  }
}

/// Reads `text` as a split.
func classSplit(_ text: String) throws -> ClassSplit {
  try withTemporaryFolder { folder in
    try text.write(toFile: folder + "/split.yaml", atomically: false, encoding: .utf8)
    return try ClassSplit(file: folder + "/split.yaml", name: "split")
  }
}

/// Reads `text` as a plan.
func planFile(_ text: String, vocabulary: Vocabulary? = nil) throws -> PlanFile {
  try withTemporaryFolder { folder in
    try text.write(toFile: folder + "/plan.jsonl", atomically: false, encoding: .utf8)
    return try PlanFile(path: folder + "/plan.jsonl", vocabulary: vocabulary)
  }
}

/// The names in a folder.
func names(in folder: String) -> [String] {
  FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
}
