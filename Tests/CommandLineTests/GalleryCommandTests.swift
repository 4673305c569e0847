import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

/// `triptych gallery` and `triptych stats` from outside.
@Suite struct GalleryCommandTests {
  private func withRun(_ body: (String) async throws -> Void) async throws {
    try await withFolder(inMemory: true) { folder in
      try SyntheticRun(isUniform: true).write(to: folder + "/run")
      try await body(folder)
    }
  }

  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  @Test func theGalleryLiesInTheRunWhereNobodySaysOtherwise() async throws {
    try await withRun { folder in
      let before = try await Program.run(["verify", "run"], in: folder)
      let made = try result(await Program.run(["gallery", "run", "--json"], in: folder))
      #expect(made["event"] == "result" && made["samples"] == 24)
      #expect(made["index"] == "run/gallery/index.html")
      let files = try contents(of: folder + "/run/gallery")
      #expect(made["files"]?.integer == files.count)
      #expect(made["bytes"]?.integer == files.values.reduce(0) { $0 + $1.count })
      let again = try await Program.run(["gallery", "run", "--output", "shown"], in: folder)
      #expect(again.code == 0 && again.output.hasPrefix("24 samples in shown/index.html: "))
      #expect(try contents(of: folder + "/shown") == files)
      #expect(try await Program.run(["gallery", "run"], in: folder).code == 0)
      #expect(try contents(of: folder + "/run/gallery") == files)
      let after = try await Program.run(["verify", "run"], in: folder)
      #expect(after.output == before.output, "a gallery is no fault of its run")
    }
  }

  @Test func theNumbersOfBothCommandsAreTheSame() async throws {
    try await withRun { folder in
      let counted = try result(await Program.run(["stats", "run", "--json"], in: folder))
      #expect(counted["samples"] == 24 && counted["accepted"] == 22)
      #expect(counted["rejected_by_reason"] == ["area": 2])
      _ = try await Program.run(["gallery", "run"], in: folder)
      let script = try String(contentsOfFile: folder + "/run/gallery/data/run.js", encoding: .utf8)
      let facts = try JSONValue.parse(
        Array(script.dropFirst("gallery.run(".count).dropLast(3).utf8))
      for key in [
        "samples", "accepted", "masks", "pixels", "area", "confidence", "edge_confidence", "places",
      ] {
        #expect(facts[key] == counted[key], "\(key)")
      }
      for one in try #require(facts["classes"]?.elements) {
        let own = counted["per_class"]?[try #require(one["name"]?.string)]
        for key in ["images", "accepted", "pixels"] { #expect(one[key] == own?[key]) }
      }
    }
  }

  @Test func aTerminalGetsBarsAndAPipeDoesNot() async throws {
    try await withRun { folder in
      let piped = try await Program.run(["stats", "run"], in: folder)
      #expect(piped.code == 0 && piped.output.hasPrefix("24 samples, 22 accepted\n"))
      #expect(!piped.output.contains("#") && !piped.output.contains("where objects lie"))
      // util-linux's script gives its command a terminal.
      let shown = try await Program.shell(
        "command -v script >/dev/null || exit 99; cd \"$1\" && script -qec \"$0 stats run\" /dev/null",
        [folder])
      guard shown.code != 99 else { return }
      #expect(shown.code == 0 && shown.output.contains("####"), "\(shown.output)")
      #expect(shown.output.contains("where objects lie"))
    }
  }

  @Test func anUnfinishedRunIsShownAndSaidToBe() async throws {
    try await withFolder(inMemory: true) { folder in
      try SyntheticRun(isUniform: true).write(to: folder + "/run", shards: [1])
      for command in ["gallery", "stats"] {
        let outcome = try await Program.run([command, "run"], in: folder)
        #expect(outcome.code == 0 && outcome.output.hasPrefix("7 samples"))
        #expect(outcome.error.contains("3 of 4 shards of the run are not finished"))
      }
      try SyntheticRun(isUniform: true).write(to: folder + "/bare", shards: [])
      expectRefusal(
        try await Program.run(["gallery", "bare", "--output", "g"], in: folder), code: 65,
        saying: "no shard is finished")
      #expect(try await Program.run(["stats", "bare"], in: folder).output.hasPrefix("0 samples"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/g"))
    }
  }

  @Test func faultsOfRunAndPlaceHaveTheirOwnExitCodes() async throws {
    try await withRun { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/notes", withIntermediateDirectories: false)
      try "x".write(toFile: folder + "/notes/x", atomically: false, encoding: .utf8)
      let cases: [([String], Int32, String)] = [
        (["gallery", "none"], 66, "none"), (["stats", "none"], 66, "none"),
        (["gallery", "run", "--output", "notes"], 73, "is no earlier gallery"),
        (["gallery", "run", "--output", "run"], 73, "is no earlier gallery"),
        (["gallery", "run", "--output", ".."], 64, "--output"), (["gallery"], 64, "run"),
        (["stats"], 64, "run"),
      ]
      for (arguments, code, part) in cases {
        expectRefusal(try await Program.run(arguments, in: folder), code: code, saying: part)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/notes") == ["x"])
      try Data([1, 2, 3]).write(
        to: URL(fileURLWithPath: folder + "/run/shards/00001/masks/000000009.png"))
      for command in ["gallery", "stats"] {
        expectRefusal(
          try await Program.run([command, "run"], in: folder), code: 65, saying: "000000009.png")
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/run/gallery"))
    }
  }

  /// The command that a gallery shows makes the picture and the mask again, whether the sample was accepted or not,
  /// at its first attempt or a later one.
  @Test(arguments: [
    ["--vocabulary", "dog,mug,owl", "--objects", "2", "--templates", "simple", "--count", "4"],
    ["--prompt", "it's a dog\nand <an> owl", "--prompt", "a mug", "--entities", "owl,dog,mug"],
  ])
  func theCommandOfASampleMakesItAgain(source: [String]) async throws {
    try await withFolder(inMemory: true) { folder in
      try "attempts: 2\npicture: {min_contrast: 0.2}\nentities: {min_area: 0.3}\n".write(
        toFile: folder + "/rules.yaml", atomically: false, encoding: .utf8)
      _ = try await Program.run(
        ["generate"] + source + Program.tinyOptions
          + ["--steps", "2", "--seed", "11", "--filters", "rules.yaml", "--output", "run"],
        in: folder)
      #expect(try await Program.run(["gallery", "run"], in: folder).code == 0)
      let script = try String(
        contentsOfFile: folder + "/run/gallery/data/samples-0.js", encoding: .utf8)
      let samples = try #require(
        try JSONValue.parse(
          Array("[\(script.dropFirst("gallery.samples(".count).dropLast(3))]".utf8)
        )
        .elements?[1].elements)
      #expect(samples.count >= 2)
      #expect(samples.contains { $0["attempt"] == 1 }, "the rules turn something away")
      for (index, sample) in samples.enumerated() {
        let command = try #require(sample["command"]?.string)
        #expect(command.contains("--model MODEL"))
        let outcome = try await Program.shell(
          "cd \"$1\" && mkdir \"$2\" && cd \"$2\" && triptych() { \"$program\" \"$@\"; }; program=$0; "
            + command.replacingOccurrences(of: "MODEL", with: "'\(Program.tinyModel)'"),
          [folder, "again-\(index)"])
        #expect(outcome.code == 0 || outcome.code == 1, "\(outcome.error)\n\(command)")
        try expectEqual(
          RunContents.open(path: folder + "/run"), index,
          RunContents.open(path: folder + "/again-\(index)/sample-\(index)"))
      }
    }
  }

  private func expectEqual(_ run: RunContents, _ index: Int, _ other: RunContents) throws {
    let sample = try run.samples(of: run.shards[0])[index]
    let again = try #require(try other.samples(of: other.shards[0]).first)
    #expect(again.record.seed == sample.record.seed && again.record.attempt == 0)
    #expect(try other.image(of: again) == run.image(of: sample))
    let (mask, otherMask) = (
      try #require(try run.mask(of: sample)), try #require(try other.mask(of: again))
    )
    // Classes are numbered anew where a vocabulary numbered them.
    let ids = zip(otherMask.ids, mask.ids)
    #expect(Set(ids.map { [$0, $1] }).count == Set(mask.ids).count)
    #expect(Set(mask.ids).count == Set(otherMask.ids).count)
    #expect(again.record.entities.map(\.area) == sample.record.entities.map(\.area))
  }
}
