import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// Every file of the table is refused; the table itself stands in TestSupport, and the program meets it too.
@Suite struct HostileFileTableTests {
  @Test(arguments: HostileFile.all)
  func aHostileFileIsRefusedWithOneClearLine(_ file: HostileFile) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(file.bytes(), to: file.name)
    let clock = ContinuousClock()
    let start = clock.now
    let error = try refusal { try Self.readEverything(path) }
    let line = error.description
    // It ends; the address sanitizer and other tests beside it take their share.
    #expect(clock.now - start < .seconds(30))
    #expect([.malformed, .unsupported, .notFinite].contains(error.code), "\(line)")
    #expect(error.file == path && line.contains(file.says), "\(line)")
    #expect(line.utf8.allSatisfy { $0 >= 0x20 } && line.utf8.count < 1024, "\(line)")
    #expect(!FileManager.default.fileExists(atPath: "/tmp/triptych-was-here"))
  }

  @Test func theTableIsLargeAndItsNamesAreDistinct() {
    #expect(HostileFile.all.count >= 150)
    #expect(Set(HostileFile.all.map(\.name)).count == HostileFile.all.count)
  }

  /// In a process of its own, so that nothing else counts.
  ///
  /// The address sanitizer keeps what was freed.
  @Test(.disabled(if: dlsym(nil, "__asan_init") != nil, "built with the address sanitizer"))
  func noHostileFileTakesMuchMemory() async {
    let told = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      let folder = try TemporaryFolder()
      var largest = (kilobytes: 0, name: "")
      for file in HostileFile.all {
        let path = try folder.write(file.bytes(), to: file.name)
        try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
        _ = try refusal { try Self.readEverything(path) }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let words = status.split { $0 == "\n" || $0 == "\t" || $0 == " " }
        let place = try #require(words.firstIndex(of: "VmHWM:"))
        let kilobytes = try #require(Int(words[place + 1]))
        precondition(kilobytes < 200_000, "\(file.name): \(kilobytes) kB")
        if kilobytes > largest.kilobytes { largest = (kilobytes, file.name) }
      }
      print("\(HostileFile.all.count) hostile files: at most \(largest)")
    }
    print(String(decoding: told?.standardOutputContent ?? [], as: UTF8.self))
  }

  /// What the rules of zip allow and nobody needs to refuse.
  @Test func oddArchivesThatBreakNoRuleAreRead() throws {
    let tensor = Pickled.tensor(Pickled.storage("0", count: 12), shape: [12], strides: [1])
    let sound = Pickled.file(tensor: tensor)
    let folder = try TemporaryFolder()
    func keys(_ bytes: [UInt8]) throws -> [String] {
      try WeightFile.open(folder.write(bytes, to: "x.pth")).keys
    }
    // A comment of the greatest length, in which no end record lies.
    var commented = sound
    commented.replaceSubrange(commented.count - 2..<commented.count, with: [0xFF, 0xFF])
    #expect(try keys(commented + [UInt8](repeating: 0x20, count: 0xFFFF)) == ["w"])
    // Checksums are not compared.
    var checked = sound
    checked.replaceSubrange(14..<18, with: [1, 2, 3, 4])
    #expect(try keys(checked) == ["w"])
    // A stride that no index of an axis of one element is moved by.
    let turned = Pickled.tensor(
      Pickled.storage("0", count: 12), offset: 1, shape: [2, 1, 2], strides: [2, .max, 4])
    let path = try folder.write(Pickled.file(tensor: turned), to: "y.pth")
    #expect(try WeightFile.open(path).tensor("w").values == [1, 5, 3, 7])
  }

  private static let place = ProcessInfo.processInfo.environment["TRIPTYCH_WRITE_HOSTILE_FILES"]

  /// For the fuzz targets, which begin with these files; the large ones would only slow them down.
  @Test(.enabled(if: place != nil, "TRIPTYCH_WRITE_HOSTILE_FILES is not set"))
  func theSmallFilesAreWrittenOnRequest() throws {
    let folder = URL(fileURLWithPath: try #require(Self.place), isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for file in HostileFile.all where !file.name.hasPrefix("large-") {
      try Data(file.bytes()).write(to: folder.appendingPathComponent(file.name))
    }
  }

  private static func readEverything(_ path: String) throws {
    let source = try WeightFile.open(path)
    for key in source.keys { _ = try source.tensor(key) }
  }
}
