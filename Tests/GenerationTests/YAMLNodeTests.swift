import Generation
import Testing

@Suite struct YAMLNodeTests {
  private func fault(_ text: String) -> String {
    fault(Array(text.utf8))
  }

  private func fault(_ bytes: [UInt8]) -> String {
    do {
      _ = try YAMLNode.parse(bytes, file: "f.yaml")
      return "accepted"
    } catch let error as GenerationError {
      #expect(error.code == .malformed)
      return error.description
    } catch {
      return "another error: \(error)"
    }
  }

  @Test func scalarsKeepTheirTextAndTheirLine() throws {
    let root = try YAMLNode.parse(Array("a: 1\nb: \"yes\"\nc: [no, 2.50]\n".utf8), file: "f.yaml")
    let members = try root.members("root", allowed: ["a", "b", "c"])
    #expect(members.map(\.key) == ["a", "b", "c"])
    #expect(members.map(\.value.line) == [1, 2, 3])
    #expect(try members[0].value.text("a") == "1")
    #expect(try members[1].value.text("b") == "yes")
    #expect(try members[2].value.list("c").map { try $0.text("c") } == ["no", "2.50"])
  }

  @Test(arguments: [
    ("a: &x 1\nb: 2", "f.yaml:1: anchors (&name) are not read here; write it out"),
    ("a: 2\nb: *x", "f.yaml:2: not YAML: found undefined alias"),
    ("a: 1\nb: !thing 2", "f.yaml:2: the tag !thing is not read here; remove it"),
    ("a: !!binary aGk=", "f.yaml:1: the tag tag:yaml.org,2002:binary is not read here; remove it"),
    ("a: 1\na: 2", "f.yaml:1: the key a stands twice in one mapping"),
    ("", "f.yaml: is empty"),
    ("? [a, b]\n: 1", "f.yaml:1: a key must be plain text"),
  ])
  func brokenRulesAreNamedWithTheirLine(text: String, message: String) {
    #expect(fault(text) == message)
  }

  @Test(arguments: [
    "a: [1, 2", "a: 1\n---\nb: 2", "\t a: 1", "a: 'open", "%YAML 9.9\n---\na: 1", "{a: 1}}",
  ])
  func brokenSyntaxIsRefused(text: String) {
    #expect(fault(text).hasPrefix("f.yaml"))
    #expect(!fault(text).contains("\n"))
  }

  @Test func hostileFilesAreRefused() {
    #expect(fault(String(repeating: "[", count: 500_000)).contains("nested deeper"))
    #expect(fault(String(repeating: "- ", count: 400_000)) != "accepted")
    #expect(fault(String(repeating: "{a: ", count: 200_000)).contains("nested deeper"))
    #expect(
      fault(String(repeating: "[", count: 40) + String(repeating: "]", count: 40)).contains(
        "nested deeper"))
    #expect(
      fault([UInt8](repeating: 65, count: YAMLNode.sizeLimit + 1)).contains("at most 1048576"))
    #expect(fault([0x61, 0x3A, 0x20, 0xFF]).contains("UTF-8"))
    #expect(fault("a: \0").hasPrefix("f.yaml"))
    let bomb =
      "a: &a [x,x,x,x,x,x,x,x,x]\n"
      + zip("bcdefghi", "abcdefgh").map {
        "\($0): &\($0) [*\($1),*\($1),*\($1),*\($1),*\($1),*\($1),*\($1),*\($1),*\($1)]\n"
      }.joined()
    #expect(fault(bomb).contains("anchors"))
  }
}
