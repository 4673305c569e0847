import DatasetExports
import DatasetFormat
import Foundation
import TestSupport
import Testing

@Suite struct ExportPlaceTests {
  private let options = ExportOptions(formats: [.coco, .voc])

  private func folderWithRun() throws -> TemporaryFolder {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun(count: 5, shardSize: 3, isUniform: true).write(to: folder["run"])
    return folder
  }

  private func expectRefusal(
    _ folder: TemporaryFolder, to name: String = "set", saying part: String
  ) {
    #expect {
      try folder.export("run", to: name, options)
    } throws: { error in
      "\(error)".contains(part)
    }
  }

  @Test func whatIsNoEarlierExportIsLeftAlone() throws {
    let folder = try folderWithRun()
    try FileManager.default.createDirectory(
      atPath: folder["set"], withIntermediateDirectories: false)
    try folder.write("mine", to: "set/notes.txt")
    expectRefusal(folder, saying: "no earlier export")
    try folder.write("{}", to: "set/manifest.json")
    expectRefusal(folder, saying: "no earlier export")
    try FileManager.default.removeItem(atPath: folder["set"])
    try folder.write("mine", to: "set")
    expectRefusal(folder, saying: "is a file")
    expectRefusal(folder, to: "run", saying: "no earlier export")
    #expect(try folder.names() == ["run", "set"])
    for path in ["", ".", "/", "..", "a/.."] {
      #expect(throws: (any Error).self) {
        try DatasetExport(RunContents.open(path: folder["run"]), options: options)
          .write(to: path) { _ in }
      }
    }
  }

  @Test func aFileThatSomeoneAddedIsNotLost() throws {
    let folder = try folderWithRun()
    try folder.export("run", to: "set", options)
    try folder.write("weights", to: "set/annotations/best.pt")
    expectRefusal(folder, saying: "set/annotations/best.pt")
    try FileManager.default.removeItem(atPath: folder["set/annotations/best.pt"])
    try folder.export("run", to: "set", .init(formats: [.voc]))
    #expect(try folder.files("set")["annotations/instances_train.json"] == nil)
  }

  @Test func anEmptyFolderAndFoldersAboveAreTaken() throws {
    let folder = try folderWithRun()
    try FileManager.default.createDirectory(
      atPath: folder["deep/er/set"], withIntermediateDirectories: true)
    try folder.export("run", to: "deep/er/set/", options)
    try folder.export("run", to: "run/exports/set", options)
    #expect(try folder.files("deep/er/set") == (try folder.files("run/exports/set")))
    #expect(try folder.names("deep/er") == ["set"])
    _ = try RunContents.open(path: folder["run"])
  }

  @Test func aLinkAtThePlaceIsNotFollowed() throws {
    let folder = try folderWithRun()
    try folder.export("run", to: "real", options)
    let before = try folder.files("real")
    try FileManager.default.createSymbolicLink(
      atPath: folder["set"], withDestinationPath: folder["real"])
    expectRefusal(folder, saying: "is a symbolic link")
    try FileManager.default.createSymbolicLink(
      atPath: folder[".other.export"], withDestinationPath: folder["real"])
    expectRefusal(folder, to: "other", saying: "is a symbolic link")
    #expect(try folder.files("real") == before)
  }

  @Test func whatAKilledExportLeftIsPutRight() throws {
    let folder = try folderWithRun()
    try folder.export("run", to: "set", options)
    let whole = try folder.files("set")
    // Killed while writing, and just between taking the old one away and putting the new one there.
    let hidden = folder[".set.export"]
    try FileManager.default.createDirectory(
      atPath: hidden + "/new/images", withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: folder["set"], toPath: hidden + "/old")
    try folder.export("run", to: "set", options)
    #expect(try folder.files("set") == whole)
    #expect(try folder.names() == ["run", "set"])
  }

  @Test func stoppingLeavesThePlaceAsItWas() throws {
    struct Stop: Error {}
    let folder = try folderWithRun()
    try folder.export("run", to: "set", .init(formats: [.voc]))
    let before = try folder.files("set")
    let export = try DatasetExport(RunContents.open(path: folder["run"]), options: options)
    for moment in 0...5 {
      #expect(throws: Stop.self) {
        try export.write(to: folder["set"]) { if $0 == moment { throw Stop() } }
      }
    }
    #expect(try folder.files("set") == before)
    #expect(try folder.names() == ["run", "set"])
  }

  /// Every operation of the disk fails once: the place holds the old data set or the new one, and the next export
  /// puts right what is left.
  @Test func aFailingDiskLosesNothing() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun(count: 1, shardSize: 1, isUniform: true).write(to: folder["run"])
    try folder.export("run", to: "set", options)
    let new = try folder.files("set")
    try folder.export("run", to: "set", .init(formats: [.voc]))
    let old = try folder.files("set")
    var failing = 1
    var failures = 0
    while true {
      let files = try FailingFileSystem(root: folder.path, failing: failing)
      do {
        try folder.export("run", to: "set", options, fileSystem: files)
      } catch let error as DatasetError {
        failures += 1
        #expect(error.code == .diskFull || error.code == .io, "\(error)")
      }
      let found = try folder.files("set")
      #expect(found == old || found == new, "operation \(failing)")
      guard files.hasFailed else { break }
      try folder.export("run", to: "set", .init(formats: [.voc]))
      #expect(try folder.names() == ["run", "set"])
      failing += 1
    }
    #expect(failures > 100)
  }
}
