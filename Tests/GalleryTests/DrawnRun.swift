import DatasetFormat
import Foundation
import Gallery
import TestSupport

extension TemporaryFolder {
  /// Writes a gallery of a run in this folder.
  @discardableResult
  func makeGallery(
    _ run: String, to name: String, progress: (Int) throws -> Void = { _ in }
  ) throws -> RunGallery.Summary {
    let contents = try RunContents.open(path: self[run])
    let command = RemakeCommand(for: contents, model: .named, runSeed: { $0 })
    return try RunGallery(contents, command: command).write(to: self[name], progress: progress)
  }

  /// A folder in memory with a drawn run in `run`.
  static func withRun(
    _ run: SyntheticRun = SyntheticRun(), shards: [Int]? = nil
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder(inMemory: true)
    try run.write(to: folder["run"], shards: shards)
    return folder
  }
}
