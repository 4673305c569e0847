import CanonicalJSON
import Foundation
import Imaging
import Subprocess
import TestSupport
import Testing

@Suite(.serialized) struct SegmentGoingOnTests {
  @Test func theSameCommandGoesOnAndOtherSettingsBeginAnew() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      let second = try here.picture("cat", width: 33, height: 90, seed: 8)
      let both = [folder + "/dog.png", second]
      #expect(try await here.run().code == 0)
      // Half a picture's lines, as a kill may leave them.
      let list = URL(fileURLWithPath: folder + "/out/segments.jsonl")
      let first = try Data(contentsOf: list)
      try (first + Data("{\"image\":\"\(second)\",\"label\":\"dog\"}\n{\"image\":".utf8)).write(
        to: list)
      let result = try here.result(try await here.run(images: both))
      #expect(result["pictures"] == 1 && result["finished_before"] == 1)
      let lines = try here.lines()
      #expect(lines.map { $0["image"]?.string } == both.flatMap { [$0, $0, $0] })
      #expect(try Data(contentsOf: list).starts(with: first))
      let whole = try here.result(try await here.run(to: "whole", images: both))
      #expect(whole["pictures"] == 2)
      #expect(try here.bytes("whole/segments.jsonl") == here.bytes("out/segments.jsonl"))
      let again = try await here.run("cat,other", images: both)
      #expect(again.error.contains("other settings"))
      #expect(try here.result(again)["pictures"] == 2)
      #expect(try here.lines().count == 4)
      // A picture that was changed is not finished.
      try await Task.sleep(for: .milliseconds(20))
      try here.picture("cat", width: 50, height: 50, seed: 9)
      let changed = try here.result(try await here.run("cat,other", images: both))
      #expect(changed["pictures"] == 1)
      #expect(try here.mask("out/cat.png").width == 50)
    }
  }

  @Test func anInterruptLosesNothingThatIsFinished() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      try FileManager.default.createDirectory(
        atPath: folder + "/many", withIntermediateDirectories: true)
      for number in 0..<60 {
        try here.picture("many/p\(number + 10)", width: 64, height: 64, seed: UInt64(number))
      }
      let options = here.options.map { $0 == "64" ? "256" : $0 }
      let command =
        ["segment", folder + "/many", "--labels", "dog,sky,other", "--json", "--output"]
        + [folder + "/out", "--no-text-cache"] + options
      let list = folder + "/out/segments.jsonl"
      let outcome = try await Program.interrupt(command, with: .interrupt) {
        (try? Data(contentsOf: URL(fileURLWithPath: list)))?.isEmpty == false
      }
      #expect(outcome.code == 130, "\(outcome.error)")
      let done = try here.lines().count
      #expect(done % 3 == 0 && done > 0 && done < 180)
      let result = try here.result(try await Program.run(command))
      #expect(result["finished_before"]?.integer == done / 3)
      #expect(try here.lines().count == 180)
    }
  }
}
