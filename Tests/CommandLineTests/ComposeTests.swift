import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

/// Composed runs and hostile packs, on the built program.
@Suite struct ComposeTests {
  private var pack: String { Fixture.folder.appendingPathComponent("world").path }
  private var command: [String] {
    ["compose", "--world", pack, "--size", "48", "--seed", "11", "--objects", "1-3"]
  }

  private func run(_ arguments: [String], code: Int32 = 0) async throws -> Program.Outcome {
    let outcome = try await Program.run(arguments)
    #expect(outcome.code == code, "\(arguments): \(outcome.error)\(outcome.output)")
    return outcome
  }

  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  @Test func aComposedRunIsARunLikeAnyOther() async throws {
    try await withFolder(inMemory: true) { folder in
      let path = folder + "/run"
      let outcome = try await run(
        command + [
          "--count", "7", "--shard-size", "3", "--json", "--output", path, "--contact-sheet",
          folder + "/sheet.png",
        ])
      #expect(try result(outcome)["samples"] == 7)
      #expect(try result(outcome)["accepted"] == 7)
      #expect(try result(outcome)["output"]?.string == path)
      // A line a scene, and the result.
      #expect(outcome.lines.count == 8)
      #expect(try ImageFile.read(folder + "/sheet.png").width > 200)
      #expect(try result(await run(["verify", path, "--json"]))["ok"] == true)
      let contents = try RunContents.open(path: path)
      #expect(contents.classes.entries.map(\.name).contains("teddy bear"))
      let world = contents.configuration["world"]
      #expect(world?["subset"]?.string == "train")
      #expect(world?["sha256"]?.string.map(ContentHash.isWellFormed) == true)
      try contents.forEachSample { sample in
        let record = sample.record
        #expect(record.steps == nil && record.guidance == nil && record.scheduler == nil)
        #expect(record.sources.first?.hasPrefix("backgrounds/") == true)
        #expect(record.sources.count >= 1 + record.entities.count)
        for entity in record.entities {
          #expect(entity.isPresent && entity.isNamed && entity.presence == 1)
          #expect(entity.confidence == 1 && entity.area >= 0.005)
          #expect(record.prompt.contains(entity.words))
        }
      }
      _ = try await run(["export", "voc,coco", path, "--output", folder + "/sets"])
      let card = try String(
        contentsOfFile: folder + "/sets/README.md", encoding: .utf8)
      #expect(card.contains("cut-outs of things were put over photographs"))
      #expect(!card.contains("diffusion model drew"))
      let rules = folder + "/rules.yaml"
      try "entities:\n  max_area: 0.1\n".write(toFile: rules, atomically: false, encoding: .utf8)
      let filtered = try await run(["filter", path, "--filters", rules, "--json"])
      #expect((try result(filtered)["accepted"]?.integer ?? 7) < 7)
      _ = try await run(["verify", path])
    }
  }

  @Test func bytesDependNeitherOnThreadsNorOnWorkers() async throws {
    try await withFolder(inMemory: true) { folder in
      let count = ["--count", "11", "--shard-size", "2"]
      _ = try await run(command + count + ["--threads", "1", "--output", folder + "/whole"])
      let expected = try contents(of: folder + "/whole")
      _ = try await run(command + count + ["--threads", "3", "--output", folder + "/threads"])
      #expect(try contents(of: folder + "/threads") == expected)
      for worker in 0..<2 {
        _ = try await run(
          command + count + ["--worker", "\(worker)/2", "--output", "\(folder)/\(worker)"])
      }
      _ = try await run(["merge", folder + "/0", folder + "/1", "--output", folder + "/merged"])
      #expect(try contents(of: folder + "/merged") == expected)
    }
  }

  @Test func killedRunsGoOnToTheSameBytes() async throws {
    try await withFolder(inMemory: true) { folder in
      let arguments = command + ["--count", "60", "--shard-size", "25", "--threads", "1"]
      _ = try await run(arguments + ["--output", folder + "/whole"])
      var generator = SeededGenerator(seed: 7)
      var (kills, wait) = (0, 40)
      for _ in 0..<40 where kills < 12 {
        let delay = Int(generator.next() % UInt64(wait)) + 20
        let outcome = try await Program.kill(
          arguments + ["--output", folder + "/cut"], after: .milliseconds(delay))
        guard outcome.code == 137 else { break }
        kills += 1
        wait += 15
      }
      _ = try await run(arguments + ["--output", folder + "/cut"])
      #expect(kills > 0)
      #expect(try contents(of: folder + "/cut") == contents(of: folder + "/whole"))
      print("\(kills) kills of a composed run: bytes equal")
    }
  }

  @Test func anotherSubsetSeedOrPackIsAnotherRun() async throws {
    try await withFolder(inMemory: true) { folder in
      let copy = folder + "/pack"
      try DrawnPack().write(to: copy)
      let path = ["--output", folder + "/run"]
      let own = ["compose", "--world", copy, "--size", "32", "--count", "2"]
      _ = try await run(own + path)
      for (changed, key) in [
        (["--subset", "test"], "world.subset is \"train\" in the folder and \"test\" now"),
        (["--seed", "1"], "seed"), (["--doubles", "50"], "scenes.doubles"),
      ] {
        expectRefusal(try await Program.run(own + changed + path), code: 78, saying: key)
      }
      try DrawnPack.write(
        try DrawnPack().cutout(Colour(1, 2, 3)) { u, _ in u < 0.5 },
        to: copy + "/cutouts/disc/0/0.png")
      expectRefusal(try await Program.run(own + path), code: 78, saying: "world.sha256")
    }
  }

  @Test func wrongOptionsAreRefused() async throws {
    for (arguments, part) in [
      (["--count", "0"], "--count: found 0"),
      (["--size", "31"], "--size: found 31, expected 32 to"),
      (["--size", "4000"], "--size"), (["--doubles", "101"], "--doubles: found 101"),
      (["--objects", "0-3"], "--objects: found 0"), (["--subset", "all"], "--subset"),
      (["--only", "seen"], "--only goes with --classes"), (["--shard-size", "0"], "--shard-size"),
      (["--shards", "9"], "there is no shard 9"),
    ] {
      try await withFolder { folder in
        let outcome = try await Program.run(
          command + ["--output", folder + "/run"] + arguments)
        expectRefusal(outcome, code: 64, saying: part)
        #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
      }
    }
  }

  /// A change of a pack that makes it unusable, and what the program says of it.
  struct Damage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let code: Int32
    let part: String
    let apply: @Sendable (String) throws -> Void
  }

  private static let first = "cutouts/disc/0/0.png"

  /// Statements of their own, which the type checker takes one by one.
  static let damages: [Damage] = {
    var all: [Damage] = []
    func add(
      _ name: String, code: Int32 = 65, _ part: String,
      _ apply: @escaping @Sendable (String) throws -> Void
    ) {
      all.append(Damage(testDescription: name, code: code, part: part, apply: apply))
    }
    add("text for a cut-out", first) { try write("hello", to: "\($0)/\(first)") }
    add("an empty cut-out", first) { try write("", to: "\($0)/\(first)") }
    add("half a PNG", first) {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\($0)/\(first)"))
      try DrawnPack.write(bytes.prefix(bytes.count / 2), to: "\($0)/\(first)")
    }
    add("a cut-out without alpha", "\(first): has no alpha") {
      let image = try PixelImage(width: 9, height: 9, filledWith: Colour(1, 2, 3))
      try DrawnPack.write(try PNGCodec.encode(image), to: "\($0)/\(first)")
    }
    add("a cut-out of nothing", "\(first): shows nothing") {
      try DrawnPack.write(
        try DrawnPack().cutout(Colour(1, 2, 3)) { _, _ in false }, to: "\($0)/\(first)")
    }
    add("a huge cut-out", "at most 4096 a side") {
      try DrawnPack.write(
        try PNGCodec.encode(
          indices: [UInt8](repeating: 0, count: 4097 * 2), width: 4097, height: 2,
          palette: [Colour(0, 0, 0)], alpha: [9]), to: "\($0)/\(first)")
    }
    add("a huge file", "at most 67108864 are read") {
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: "\($0)/\(first)"))
      try handle.truncate(atOffset: 70_000_000)
      try handle.close()
    }
    add("a JPEG as cut-out", "cutouts/disc/0/1.jpg: is no PNG") {
      try write("", to: "\($0)/cutouts/disc/0/1.jpg")
    }
    add("a folder for a picture", "\(first): is no regular file") {
      try FileManager.default.removeItem(atPath: "\($0)/\(first)")
      try FileManager.default.createDirectory(
        atPath: "\($0)/\(first)", withIntermediateDirectories: false)
    }
    add("a cut-out in no category", "cutouts/0.png: lies in no category") {
      try write("", to: "\($0)/cutouts/0.png")
    }
    add("a category of nothing", "cutouts/ghost: is a category without cut-outs") {
      try write("", to: "\($0)/cutouts/ghost/notes.txt")
    }
    add("two folders of a category", "is the same category as") {
      for name in ["teddy bear", "teddy_bear"] {
        try FileManager.default.copyItem(
          atPath: "\($0)/cutouts/disc", toPath: "\($0)/cutouts/\(name)")
      }
    }
    add("a control character", "category \"disc") {
      try FileManager.default.moveItem(
        atPath: "\($0)/cutouts/disc", toPath: "\($0)/cutouts/disc\nerror: none")
    }
    add("text for a background", "0.png: neither a PNG nor a JPEG") {
      try write("hello", to: "\($0)/backgrounds/in_the_dark/0.png")
    }
    add("a background of another kind", "1.webp: is neither a PNG nor a JPEG") {
      try write("", to: "\($0)/backgrounds/1.webp")
    }
    add("no backgrounds", "/backgrounds: holds no pictures") {
      try FileManager.default.removeItem(atPath: "\($0)/backgrounds/in_the_dark")
    }
    add("no folder of backgrounds", code: 66, "/backgrounds: is no folder") {
      try FileManager.default.removeItem(atPath: "\($0)/backgrounds")
    }
    add("no pack", code: 66, "is no folder; expected a pack") {
      try FileManager.default.removeItem(atPath: $0)
    }
    add("a link out of the pack", "leads out of the pack") {
      try FileManager.default.removeItem(atPath: "\($0)/\(first)")
      try FileManager.default.createSymbolicLink(
        atPath: "\($0)/\(first)", withDestinationPath: "/etc/hostname")
    }
    add("a link to nothing", code: 66, "\(first): cannot be opened") {
      try FileManager.default.removeItem(atPath: "\($0)/\(first)")
      try FileManager.default.createSymbolicLink(
        atPath: "\($0)/\(first)", withDestinationPath: "nowhere.png")
    }
    add("pack.json is no JSON", "pack.json: no JSON") { try write("{", to: "\($0)/pack.json") }
    add("pack.json without a key", "has no key \"cutouts\"") {
      try write(#"{"categories":[]}"#, to: "\($0)/pack.json")
    }
    add("pack.json of another pack", "does not list \"cutouts/bar/0/0.png\"") {
      try write(
        #"{"categories":["disc"],"cutouts":[],"backgrounds":[]}"#, to: "\($0)/pack.json")
    }
    add("pack.json leads outside", "lists \"../x.png\", which is not there") {
      try describe($0, cutout: "../x.png")
    }
    add("pack.json says the wrong category", "is \"bar\" here") {
      try describe($0, cutout: "cutouts/disc/0/0.png", category: "bar")
    }
    add("pack.json says a file twice", "lists \"cutouts/disc/0/0.png\" twice") {
      try describe($0, cutout: "cutouts/disc/0/0.png", times: 2)
    }
    add("pack.json with an unknown category", "expected one of \"categories\"") {
      try describe($0, cutout: "cutouts/disc/0/0.png", category: "owl")
    }
    add("pack.json with a text for a mark", "\"held_out\" is \"no\"") {
      try describe($0, cutout: "cutouts/disc/0/0.png", mark: #""no""#)
    }
    return all
  }()

  private static func write(_ text: String, to path: String) throws {
    try DrawnPack.write(Array(text.utf8), to: path)
  }

  /// Writes a pack.json that lists one cut-out.
  private static func describe(
    _ folder: String, cutout: String, category: String = "disc", mark: String = "false",
    times: Int = 1
  ) throws {
    let entry =
      "{\"file\":\"\(cutout)\",\"category\":\"\(category)\",\"thing\":0,\"held_out\":\(mark)}"
    let entries = Array(repeating: entry, count: times).joined(separator: ",")
    try write(
      "{\"categories\":[\"disc\",\"bar\",\"square\"],\"cutouts\":[\(entries)],\"backgrounds\":[]}",
      to: folder + "/pack.json")
  }

  @Test(arguments: damages) func hostilePacksGetOneLine(damage: Damage) async throws {
    try await withFolder(inMemory: true) { folder in
      try DrawnPack().write(to: folder + "/pack")
      try damage.apply(folder + "/pack")
      let outcome = try await Program.run([
        "compose", "--world", folder + "/pack", "--size", "32", "--count", "2", "--output",
        folder + "/run",
      ])
      expectRefusal(outcome, code: damage.code, saying: damage.part)
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }
}
