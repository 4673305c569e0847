import ArgumentParser
import DatasetExports

/// Layouts with commas between them.
struct ExportFormatList: ExpressibleByArgument {
  /// The layouts, at least one, each once.
  let formats: [ExportFormat]

  init?(argument: String) {
    let words = argument.split(separator: ",", omittingEmptySubsequences: false)
    let formats = words.compactMap { ExportFormat(rawValue: String($0)) }
    guard formats.count == words.count, Set(formats).count == formats.count else { return nil }
    self.formats = formats
  }

  static var allValueStrings: [String] { ExportFormat.allCases.map(\.rawValue) }

  static var known: String { allValueStrings.joined(separator: ", ") }
}
