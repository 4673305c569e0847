import CanonicalJSON

/// Reads the `segmentation` of an annotation: runs, compressed or not, or outlines.
struct COCOSegmentationReader {
  let width: Int
  let height: Int
  /// Where it stands, for messages.
  let place: String

  func read(_ json: JSONValue) -> COCORegionPixels {
    if let outlines = json.elements { return read(outlines: outlines) }
    do {
      let encoding = try runs(json)
      guard encoding.area > 0 else {
        return COCORegionPixels(encoding: nil, problems: ["its runs cover no pixel"])
      }
      return COCORegionPixels(encoding: encoding, problems: [])
    } catch let error as ExportError {
      return COCORegionPixels(encoding: nil, problems: [error.message])
    } catch {
      return COCORegionPixels(encoding: nil, problems: ["\(error)"])
    }
  }

  private func runs(_ json: JSONValue) throws -> RunLengthEncoding {
    guard let size = json["size"]?.elements, let counts = json["counts"] else {
      throw fault("is \(json.kind), expected a list of outlines, or size and counts")
    }
    guard size.map(\.integer) == [height, width] else {
      let found = JSONValue.array(Array(size.prefix(3))).text.prefix(60)
      throw fault(
        "its runs have the size \(found), its picture [\(height),\(width)] (rows, columns)")
    }
    if let text = counts.string {
      return try RunLengthEncoding(compressed: text, height: height, width: width, place: place)
    }
    guard let list = counts.elements else {
      throw fault("its counts are \(counts.kind), expected a text or a list")
    }
    let runs = try list.map { run in
      guard let number = run.integer else {
        throw fault("a count is \(run.text.prefix(20)), expected a whole number")
      }
      return number
    }
    return try RunLengthEncoding(runs: runs, height: height, width: width, place: place)
  }

  private func read(outlines: [JSONValue]) -> COCORegionPixels {
    var parts: [RunLengthEncoding] = []
    var problems: [String] = []
    if outlines.isEmpty { problems.append("has no outline") }
    for (position, outline) in outlines.enumerated() {
      let name = outlines.count == 1 ? "its outline" : "its outline \(position)"
      do {
        guard let elements = outline.elements else {
          throw fault("is \(outline.kind), expected a list of numbers")
        }
        let corners = try elements.map { element in
          guard let number = element.number else {
            throw fault("holds \(element.kind), expected numbers")
          }
          return number
        }
        let part = try RunLengthEncoding(
          polygon: corners, height: height, width: width, place: place)
        if part.area == 0 { throw fault("encloses no pixel") }
        parts.append(part)
      } catch let error as ExportError {
        problems.append("\(name) \(error.message)")
      } catch {
        problems.append("\(name): \(error)")
      }
    }
    return COCORegionPixels(
      encoding: parts.isEmpty ? nil : RunLengthEncoding(union: parts), problems: problems)
  }

  private func fault(_ message: String) -> ExportError { ExportError(.malformed, place, message) }
}
