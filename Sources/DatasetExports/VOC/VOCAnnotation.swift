import Imaging

/// The XML of one picture in the layout of PASCAL VOC.
///
/// Boxes count pixels from 1 and include both ends.
///
/// - Source: what the loaders of torchvision and detectron2 read.
struct VOCAnnotation {
  let sample: ExportSample
  let categories: [ExportCategory]

  /// The file's text.
  var text: String {
    let (width, height) = (sample.image.width, sample.image.height)
    let head = """
      <annotation>
      \t<folder>VOC2012</folder>
      \t<filename>\(sample.name).jpg</filename>
      \t<source>
      \t\t<database>triptych</database>
      \t\t<annotation>machine-generated</annotation>
      \t\t<image>machine-generated</image>
      \t</source>
      \t<size>
      \t\t<width>\(width)</width>
      \t\t<height>\(height)</height>
      \t\t<depth>3</depth>
      \t</size>
      \t<segmented>1</segmented>

      """
    return head + sample.instances.instances.map(object).joined() + "</annotation>\n"
  }

  private func object(_ instance: InstanceMap.Instance) -> String {
    let box = instance.box
    let isTruncated =
      box.x == 0 || box.y == 0 || box.x + box.width == sample.image.width
      || box.y + box.height == sample.image.height
    return """
      \t<object>
      \t\t<name>\(Self.escaped(categories[instance.category - 1].name))</name>
      \t\t<pose>Unspecified</pose>
      \t\t<truncated>\(isTruncated ? 1 : 0)</truncated>
      \t\t<difficult>0</difficult>
      \t\t<bndbox>
      \t\t\t<xmin>\(box.x + 1)</xmin>
      \t\t\t<ymin>\(box.y + 1)</ymin>
      \t\t\t<xmax>\(box.x + box.width)</xmax>
      \t\t\t<ymax>\(box.y + box.height)</ymax>
      \t\t</bndbox>
      \t</object>

      """
  }

  /// Text between tags; characters that XML cannot hold become the replacement character.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\t", "\n", "\r", "\u{20}"..."\u{d7ff}", "\u{e000}"..."\u{fffd}",
        "\u{10000}"..."\u{10ffff}":
        escaped.unicodeScalars.append(scalar)
      default: escaped += "\u{fffd}"
      }
    }
    return escaped
  }
}
