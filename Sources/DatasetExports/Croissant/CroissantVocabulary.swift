import CanonicalJSON

/// The words of a Croissant file and what they stand for.
///
/// - Source: the context of the Croissant format specification 1.1.
enum CroissantVocabulary {
  private static let own = [
    "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field",
    "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset",
    "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
    "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
  ]

  /// The file's `@context`.
  static var context: JSONValue {
    let spaces: JSONValue = [
      "@language": "en", "@vocab": "https://schema.org/", "conformsTo": "dct:conformsTo",
      "cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/",
      "rai": "http://mlcommons.org/croissant/RAI/", "sc": "https://schema.org/",
      "data": ["@id": "cr:data", "@type": "@json"],
      "dataType": ["@id": "cr:dataType", "@type": "@vocab"],
      "examples": ["@id": "cr:examples", "@type": "@json"],
      "description": ["@container": "@language"], "name": ["@container": "@language"],
    ]
    return .object(
      (spaces.members ?? []) + own.map { JSONValue.Member($0, .string("cr:\($0)")) })
  }
}
