import Foundation
import Generation
import LatentDiffusion
import TestSupport
import Testing

/// What a run is said to take; what it takes is measured by `MemoryTests`.
@Suite struct MemoryPlanTests {
  private let model: StableDiffusionModel

  init() throws {
    model = try StableDiffusionModel(
      path: Fixture.folder.appendingPathComponent("diffusion/tiny-sd1").path)
  }

  private func request(_ side: Int, count: Int = 64) -> MemoryPlan.Request {
    MemoryPlan.Request(
      settings: SamplingSettings(steps: 1, guidance: 4, width: side, height: side), count: count)
  }

  private func total(_ request: MemoryPlan.Request, batch: Int = 1) throws -> Int {
    try MemoryPlan(model: model, request: request, batch: batch).total
  }

  @Test func plansGrowWithSizeAndBatch() throws {
    #expect(try total(request(1024)) > total(request(512)))
    #expect(try total(request(512), batch: 64) > total(request(512)))
    var whole = request(1024)
    whole.tiling = .off
    #expect(try total(whole) > total(request(1024)))
    var encoding = request(1024)
    encoding.encodes = true
    #expect(try total(encoding) >= total(request(1024)))
  }

  @Test func theLargestBatchThatFitsIsChosen() throws {
    let request = request(256)
    let totals = try (1...6).map { try total(request, batch: $0) }
    for bytes in Set(totals.flatMap { [$0 - 1, $0, $0 + 1] }) where bytes >= totals[0] {
      let fit = try MemoryPlan.fitting(model, request, batch: 6, limit: .given(bytes))
      // A larger batch may take less than a smaller one, where much is unused and given back.
      let largest = try #require(totals.lastIndex { $0 <= bytes }) + 1
      #expect(fit.batch == largest && fit.plan.total == totals[largest - 1])
    }
    let unlimited = try MemoryPlan.fitting(model, request, batch: 6, limit: .machine(0))
    #expect(unlimited.batch == 6)
  }

  @Test func whatDoesNotFitIsRefusedWithBothFiguresAndAWayOut() throws {
    func refusal(_ request: MemoryPlan.Request, _ bytes: Int) throws -> String {
      let error = #expect(throws: GenerationError.self) {
        try MemoryPlan.fitting(model, request, batch: 4, limit: .given(bytes))
      }
      let found = try #require(error)
      #expect(found.code == .usage)
      #expect(found.message.contains(MemorySize.text(bytes)))
      #expect(try found.message.contains(MemorySize.text(total(request))))
      return found.message
    }
    #expect(try refusal(request(64), 1000).contains("the weights alone take"))
    let smaller = try total(request(512))
    #expect(try refusal(request(1024), smaller).contains("pictures of 512 x 512 pixels"))
    var whole = request(1024)
    whole.tiling = .off
    #expect(try refusal(whole, total(request(1024))).contains("--vae-tiling auto"))
    #expect(throws: GenerationError.self) {
      try MemoryPlan.check(model, request(512), available: 1000)
    }
    #expect(throws: GenerationError.self) {
      try MemoryPlan.check(model, request(512), batch: 3, available: 1000)
    }
    try MemoryPlan.check(model, request(64))
  }

  @Test func sizesAreReadAndHostileOnesAreNot() {
    let sizes: [(String, Int)] = [
      ("1", 1), ("4096", 4096), ("6GiB", 6 << 30), ("4000MB", 4_000_000_000), ("8g", 8_000_000_000),
      ("1.5 GiB", 3 << 29), ("64kib", 65_536), ("2TB", 2_000_000_000_000), ("12b", 12),
    ]
    for (text, bytes) in sizes { #expect(MemorySize.bytes(text) == bytes, "\(text)") }
    for text in [
      "", "0", "-1", "GB", "1x", "1 0", "1e9", "nan", "inf", "0x10", "1ib", "1..5", ".", "6 GiB ",
      "99999999999TB", String(repeating: "9", count: 400), "٣GB", "1GiBB", "5\u{0}",
    ] {
      #expect(MemorySize.bytes(text) == nil, "\(text.prefix(20))")
    }
    #expect(MemorySize.text(1_234_567_890) == "1.2 GB" && MemorySize.text(12) == "12 bytes")
  }
}
