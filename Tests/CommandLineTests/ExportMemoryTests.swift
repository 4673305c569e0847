import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// How much memory an export takes; `TRIPTYCH_EXPORT_SAMPLES` says of how many samples where 2,000 are too few.
@Suite struct ExportMemoryTests {
  @Test func memoryGrowsByNoMoreThanFourKilobytesASample() async throws {
    let wanted = ProcessInfo.processInfo.environment["TRIPTYCH_EXPORT_SAMPLES"].flatMap { Int($0) }
    let count = wanted ?? 2000
    // In memory the pages of files would count as nobody's, but a hundred thousand samples may not fit there.
    try await withFolder(inMemory: wanted == nil) { folder in
      try LinkedRun(count: count).write(to: folder + "/run", scratch: folder + "/drawn")
      let formats =
        wanted == nil
        ? "voc,parquet" : "voc,coco,mmseg,ade,imagefolder,parquet,webdataset,yolo,labelme"
      let outcome = try await Program.run(
        ["export", formats, "run", "--output", "set", "--licence", "CC0-1.0", "--json"], in: folder)
      #expect(outcome.code == 0, "\(outcome.error)")
      let result = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
      let peak = try #require(result["peak_rss_bytes"]?.integer)
      print(
        "export of \(count) samples: peak memory \(peak >> 20) MiB, \(result["files"]?.integer ?? 0) files"
      )
      #expect(peak < 112_000_000 + count * 4000)
    }
  }
}
