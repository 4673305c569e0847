import DatasetExports
import Testing

@Suite struct ExportErrorTests {
  @Test func anErrorIsOneLineWithItsPlace() {
    let error = ExportError(.usage, "--splits", "found 50,60, expected shares of 100 in sum")
    #expect("\(error)" == "--splits: found 50,60, expected shares of 100 in sum")
  }
}
