import DatasetFormat
import Testing

struct ShardSelectionTests {
  @Test(arguments: [
    ("3", [3]), ("0-2", [0, 1, 2]), ("7,1-2", [1, 2, 7]), ("0-999999999", Array(0..<9)),
  ])
  func rangesNameTheirShards(_ text: String, _ shards: [Int]) throws {
    let selection = try #require(ShardSelection(ranges: text))
    #expect(selection.shards(in: RunLayout(sampleCount: 9, shardSize: 1)) == shards)
  }

  @Test(arguments: [
    "", "-", "1-", "-1", "2-1", "1--2", "a", "1,", "+1", "0x1", "1-2-3", "1000000000",
  ])
  func otherRangesAreRefused(_ text: String) {
    #expect(ShardSelection(ranges: text) == nil)
  }

  @Test(arguments: ["", "1", "/", "1/", "1/1", "2/1", "-1/2", "0/0", "0/1/2", "0/1000001", " 0/1"])
  func otherWorkersAreRefused(_ text: String) {
    #expect(ShardSelection(worker: text) == nil)
  }

  @Test func workersTogetherMakeEveryShardOnce() throws {
    let layout = RunLayout(sampleCount: 37, shardSize: 2)
    for count in [1, 2, 3, 16, 19, 40] {
      let shards = try (0..<count).flatMap { index in
        try #require(ShardSelection(worker: "\(index)/\(count)")).shards(in: layout)
      }
      #expect(shards.sorted() == Array(0..<layout.shardCount))
    }
    #expect(ShardSelection.all.shards(in: layout).count == layout.shardCount)
  }

  private func slurm(
    _ id: String?, count: String? = nil, min: String? = nil, max: String? = nil, step: String? = nil
  ) throws -> ShardSelection? {
    let values = ["ID": id, "COUNT": count, "MIN": min, "MAX": max, "STEP": step]
    return try ShardSelection.slurm { name in
      name.hasPrefix("SLURM_ARRAY_TASK_") ? values[String(name.dropFirst(17))] ?? nil : nil
    }
  }

  @Test func tasksOfAJobArrayAreWorkers() throws {
    #expect(try slurm(nil, count: "4") == nil)
    #expect(try slurm("2", count: "4") == .worker(index: 2, count: 4))
    #expect(try slurm("5", count: "4", min: "4", max: "7") == .worker(index: 1, count: 4))
    #expect(
      try slurm("30", count: "4", min: "0", max: "30", step: "10") == .worker(index: 3, count: 4))
    #expect(
      try slurm("1", count: "1", min: "1", max: "1", step: "1") == .worker(index: 0, count: 1))
  }

  @Test func unevenJobArraysAreRefused() {
    // --array=1,5,7 would leave shards out.
    for id in ["1", "5", "7"] {
      #expect(code { _ = try slurm(id, count: "3", min: "1", max: "7", step: "1") } == .malformed)
    }
    #expect(code { _ = try slurm("2") } == .malformed)
    #expect(code { _ = try slurm("x", count: "3") } == .malformed)
    #expect(code { _ = try slurm("3", count: "3") } == .malformed)
    #expect(code { _ = try slurm("0", count: "0") } == .malformed)
    #expect(code { _ = try slurm("0", count: "2", min: "3", max: "1") } == .malformed)
  }

  @Test func numbersAreWrittenAsTheyAreRead() throws {
    #expect(ShardSelection.text([]).isEmpty)
    #expect(ShardSelection.text([3, 7, 12, 13, 14, 15]) == "3,7,12-15")
    let layout = RunLayout(sampleCount: 40, shardSize: 1)
    for numbers in [[0], [0, 1], [39], [1, 3, 5, 6, 7, 39]] {
      let selection = try #require(ShardSelection(ranges: ShardSelection.text(numbers)))
      #expect(selection.shards(in: layout) == numbers)
    }
  }
}
