import Imaging

extension RunVerifier {
  /// Checks a sample's picture and mask against its record.
  mutating func checkFiles(of record: SampleRecord, in folder: String) throws {
    let image = "\(folder)/\(record.image)"
    try decoding(image) { verifier, bytes in
      let contents = try PNGCodec.decodeImage(bytes)
      verifier.compare(
        record, contents.pixels.width, contents.pixels.height, contents.record, image)
      // A stand-in has the scores of the picture that it stands for: none.
      guard record.scores.isFinite else { return }
      if SampleRecord.Scores(of: contents.pixels) != record.scores {
        verifier.add(image, "its brightness, contrast, clipping or hash is not as the record says")
      }
    }
    guard let mask = record.mask.map({ "\(folder)/\($0)" }) else {
      return
    }
    try decoding(mask) { verifier, bytes in
      let contents = try PNGCodec.decodeMask(bytes)
      verifier.compare(
        record, contents.pixels.width, contents.pixels.height, contents.record, mask)
      verifier.compare(record, MaskStatistics(contents.pixels), mask)
    }
  }

  private mutating func compare(
    _ record: SampleRecord, _ width: Int, _ height: Int, _ text: String?, _ file: String
  ) {
    if width != record.width || height != record.height {
      add(file, "\(width) x \(height) pixels, the record says \(record.width) x \(record.height)")
    }
    if text != record.line { add(file, "carries another record than records.jsonl") }
  }

  /// Every id is a class's and an entity's that is present; areas, parts and borders are as the record says.
  private mutating func compare(
    _ record: SampleRecord, _ statistics: MaskStatistics, _ file: String
  ) {
    let present = record.entities.filter(\.isPresent)
    let known = facts.classes.map { Set($0.entries.map { UInt16($0.id) }) }
    for id in statistics.regions.keys.sorted() {
      if let known, !known.contains(id) {
        add(file, "the id \(id) is not in classes.tsv")
      } else if !present.contains(where: { $0.classID == Int(id) }) {
        add(file, "the id \(id) is of no entity that the record has as present")
      }
    }
    let all = Double(record.width * record.height)
    // An area is a share in floating point: half a pixel tells two counts apart.
    let slack = 0.5
    let byClass = Dictionary(grouping: present, by: \.classID).sorted { $0.key < $1.key }
    for (id, entities) in byClass {
      let region = statistics.regions[UInt16(id)] ?? MaskStatistics.Region()
      let area = entities.reduce(0) { $0 + $1.area } * all
      // Pixels along an edge may be ignored in the mask and still count as the entity's.
      let range =
        Double(region.pixels) - slack...Double(
          region.pixels + statistics.ignoredPixels) + slack
      if !range.contains(area) {
        add(
          file,
          "\"\(entities[0].name)\" covers \(region.pixels) pixels, the record says \(area.rounded())"
        )
      }
      guard statistics.ignoredPixels == 0, entities.count == 1 else { continue }
      if entities[0].parts != region.parts {
        add(
          file,
          "\"\(entities[0].name)\" falls in \(region.parts) part(s), the record says \(entities[0].parts)"
        )
      }
      if entities[0].touchesBorder != region.touchesBorder {
        add(
          file,
          "\"\(entities[0].name)\" \(region.touchesBorder ? "touches" : "does not touch") the border, "
            + "the record says otherwise")
      }
    }
  }

  private mutating func decoding(
    _ file: String, _ body: (inout RunVerifier, [UInt8]) throws -> Void
  ) throws {
    try collecting(file) { verifier in
      let bytes = try verifier.files.read(file, limit: ShardReader.imageLimit)
      do {
        try body(&verifier, bytes)
      } catch let error as ImagingError {
        verifier.add(file, error.message)
      }
    }
  }
}
