import Foundation
import Imaging
import TestSupport
import Testing

struct ImageFileTests {
  private func path(_ name: String) -> String {
    Fixture.folder.appending(path: "imaging/\(name)").path
  }

  @Test(arguments: ["rgba", "grey-alpha", "palette-alpha", "rgb"])
  func transparencyShowsWhite(_ name: String) throws {
    let image = try ImageFile.read(path("\(name).png"))
    #expect(image.channels == .rgb)
    #expect(image.samples == (try fixture("\(name).white.bin")))
  }

  @Test func the16BitsOfAPNGAreCutToEight() throws {
    let image = try ImageFile.read(path("grey16.png"))
    let ids = try fixture("grey16.ids.bin")
    let upper = (0..<ids.count / 2).flatMap { [UInt8](repeating: ids[2 * $0 + 1], count: 3) }
    #expect(image.samples == upper)
  }

  @Test func theContentSaysWhatAFileIs() throws {
    let folder = try TemporaryFolder()
    let image = try ImageFile.read(folder.write(try fixture("orientation8.jpg"), to: "picture.png"))
    #expect(image.width == 13 && image.height == 21)
    #expect(image == (try JPEGCodec.decode(try fixture("orientation8.jpg"))))
  }

  @Test func eachFaultNamesTheFile() throws {
    let faults: [(String, ImagingError.Code)] = [
      (path("nothing.png"), .missingFile), (path("rgb.png/x"), .missingFile),
      (path(""), .unreadable), ("/dev/null", .unreadable), (path("generate.py"), .malformed),
      ("", .missingFile),
    ]
    for (path, code) in faults {
      let error = #expect(throws: ImagingError.self) { try ImageFile.read(path) }
      #expect(error?.code == code, "\(path)")
      #expect(path.isEmpty || error?.message.contains(path) == true)
    }
  }

  @Test func emptyBytesAreNoPicture() {
    #expect(throws: ImagingError.self) { try ImageFile.decode([]) }
  }
}
