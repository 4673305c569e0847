/// The numbers of Apache Parquet's format that are written here.
///
/// - Source: `parquet.thrift` of apache/parquet-format.
enum Parquet {
  /// What a file begins and ends with.
  static let magic = Array("PAR1".utf8)
  /// `Type.BYTE_ARRAY`.
  static let byteArray = 6
  /// `ConvertedType.UTF8`.
  static let text = 0
  /// `FieldRepetitionType.OPTIONAL`, as Arrow writes every column.
  static let optional = 1
  /// `Encoding.PLAIN`.
  static let plain = 0
  /// `Encoding.RLE`.
  static let runLength = 3
  /// `CompressionCodec.UNCOMPRESSED`: pictures are packed already.
  static let uncompressed = 0
  /// `PageType.DATA_PAGE`.
  static let dataPage = 0
}
