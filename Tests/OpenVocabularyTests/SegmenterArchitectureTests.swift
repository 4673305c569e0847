import OpenVocabulary
import Testing

@Suite struct SegmenterArchitectureTests {
  @Test func architecturesGoByTheNamesOfTheirPapers() {
    #expect(SegmenterArchitecture.allCases.map(\.rawValue) == ["lseg", "sed"])
  }
}
