// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "triptych",
  products: [
    .executable(name: "triptych", targets: ["triptych"]),
    .library(
      name: "TriptychModels",
      targets: ["TensorCore", "Checkpoints", "NeuralLayers", "TextConditioning", "LatentDiffusion"]),
    // For tests alone, which preload it into the program; no target may depend on it.
    .library(name: "FaultInjection", type: .dynamic, targets: ["CFaultInjection"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // Level 0: C and system libraries.
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(name: "CKernels"),
    .target(name: "CanonicalJSON", swiftSettings: settings),
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png")]),
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CDeflate", linkerSettings: [.linkedLibrary("z")]),
    // Level 1
    .target(
      name: "TensorCore", dependencies: ["COpenBLAS", "CKernels"], swiftSettings: settings),
    .target(name: "Imaging", dependencies: ["CPNG", "CJPEG", "CDeflate"], swiftSettings: settings),
    // Level 2
    .target(
      name: "Checkpoints", dependencies: ["CanonicalJSON", "TensorCore"],
      swiftSettings: settings + [.strictMemorySafety()]),
    .target(
      name: "DatasetFormat", dependencies: ["CanonicalJSON", "Imaging", crypto],
      swiftSettings: settings),
    // Level 3
    .target(
      name: "NeuralLayers", dependencies: ["Checkpoints", "TensorCore"], swiftSettings: settings),
    // Level 4
    .target(
      name: "TextConditioning",
      dependencies: ["CDeflate", "CanonicalJSON", "NeuralLayers", "Checkpoints", "TensorCore"],
      swiftSettings: settings),
    .target(
      name: "LatentDiffusion",
      dependencies: ["CanonicalJSON", "NeuralLayers", "Checkpoints", "TensorCore"],
      swiftSettings: settings),
    .target(
      name: "DatasetExports", dependencies: ["CanonicalJSON", "DatasetFormat", "Imaging"],
      swiftSettings: settings),
    .target(
      name: "Gallery",
      dependencies: ["CanonicalJSON", "DatasetExports", "DatasetFormat", "Imaging"],
      // In the program itself: a gallery needs no file beside it.
      resources: [
        .embedInCode("Page/index.html"), .embedInCode("Page/gallery.css"),
        .embedInCode("Page/store.js"), .embedInCode("Page/filters.js"),
        .embedInCode("Page/sheet.js"), .embedInCode("Page/sample.js"),
        .embedInCode("Page/charts.js"), .embedInCode("Page/main.js"),
      ], swiftSettings: settings),
    // Level 5
    .target(
      name: "OpenVocabulary",
      dependencies: [
        "CanonicalJSON", "TextConditioning", "NeuralLayers", "Checkpoints", "DatasetFormat",
        "Imaging", "TensorCore",
      ], swiftSettings: settings),
    .target(
      name: "MaskGrounding",
      dependencies: [
        "CanonicalJSON", "LatentDiffusion", "TextConditioning", "NeuralLayers", "Checkpoints",
        "Imaging", "TensorCore",
      ], swiftSettings: settings),
    // Level 6
    .target(
      name: "Generation",
      dependencies: [
        "CanonicalJSON", "MaskGrounding", "TextConditioning", "LatentDiffusion", "DatasetFormat",
        "Imaging", "Checkpoints", "TensorCore", crypto, yams,
      ],
      // Templates is a link to the top-level folder: its subfolders are copied as real files, itself would
      // be copied as a link.
      exclude: ["Templates/README.md"],
      resources: [
        .copy("Templates/prompts"), .copy("Templates/vocabularies"), .copy("Templates/splits"),
        .copy("Templates/presets"),
      ],
      swiftSettings: settings),
    .target(
      name: "ModelTraining",
      dependencies: [
        "CanonicalJSON", "MaskGrounding", "NeuralLayers", "Checkpoints", "TensorCore",
      ], swiftSettings: settings),
    // Between 6 and 7: on top of Generation's prompts and run folders.
    .target(
      name: "ObjectWorld",
      dependencies: [
        "CanonicalJSON", "Generation", "DatasetFormat", "Imaging", "TensorCore",
      ], swiftSettings: settings),
    .target(
      name: "GroundingTraining",
      dependencies: [
        "CanonicalJSON", "ModelTraining", "ObjectWorld", "Generation", "DatasetExports",
        "DatasetFormat", "MaskGrounding", "LatentDiffusion", "NeuralLayers", "Checkpoints",
        "Imaging", "TensorCore",
      ], swiftSettings: settings),
    // On top of all of it: what masks are worth.
    .target(
      name: "Evaluation",
      dependencies: [
        "CanonicalJSON", "GroundingTraining", "ObjectWorld", "Generation", "ModelTraining",
        "OpenVocabulary", "MaskGrounding", "LatentDiffusion", "NeuralLayers", "DatasetExports",
        "DatasetFormat",
        "Imaging", "Checkpoints", "TensorCore",
      ], swiftSettings: settings),
    // Aside: the embedded checkpoint, and nothing else.
    .target(
      name: "DefaultModel", resources: [.copy("Model")], swiftSettings: settings),
    // Level 7
    .executableTarget(
      name: "triptych",
      dependencies: [
        "CanonicalJSON", "Evaluation", "GroundingTraining", "ModelTraining", "ObjectWorld",
        "Generation", "Gallery", "DatasetExports", "OpenVocabulary", "MaskGrounding",
        "TextConditioning",
        "LatentDiffusion", "DatasetFormat", "Imaging", "Checkpoints", "TensorCore", "DefaultModel",
        argumentParser,
      ],
      swiftSettings: settings),
    // Tests
    .target(
      name: "TestSupport",
      dependencies: ["CanonicalJSON", "Checkpoints", "DatasetFormat", "Imaging", "TensorCore"],
      path: "Tests/TestSupport", swiftSettings: settings),
    .target(
      name: "CFaultInjection", path: "Tests/FaultInjection",
      linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .testTarget(
      name: "CanonicalJSONTests", dependencies: ["CanonicalJSON", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "TensorCoreTests", dependencies: ["TensorCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints", "TensorCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ImagingTests", dependencies: ["Imaging", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "DatasetFormatTests",
      dependencies: ["CanonicalJSON", "DatasetFormat", "Imaging", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "NeuralLayersTests",
      dependencies: ["NeuralLayers", "Checkpoints", "TensorCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "TextConditioningTests",
      dependencies: ["TextConditioning", "Checkpoints", "TensorCore", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "LatentDiffusionTests",
      dependencies: [
        "CanonicalJSON", "LatentDiffusion", "TextConditioning", "Checkpoints", "TensorCore",
        "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "OpenVocabularyTests",
      dependencies: [
        "CanonicalJSON", "OpenVocabulary", "TextConditioning", "Checkpoints", "Imaging",
        "TensorCore", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "MaskGroundingTests",
      dependencies: [
        "MaskGrounding", "LatentDiffusion", "TextConditioning", "NeuralLayers", "Checkpoints",
        "CanonicalJSON", "Imaging", "TensorCore", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ModelTrainingTests",
      dependencies: [
        "ModelTraining", "MaskGrounding", "LatentDiffusion", "NeuralLayers", "Checkpoints",
        "CanonicalJSON", "TensorCore", "TestSupport",
      ], swiftSettings: settings),
    .testTarget(
      name: "DatasetExportsTests",
      dependencies: ["CanonicalJSON", "DatasetExports", "DatasetFormat", "Imaging", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "GalleryTests",
      dependencies: [
        "CanonicalJSON", "DatasetExports", "DatasetFormat", "Gallery", "Imaging", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "GenerationTests",
      dependencies: [
        "CanonicalJSON", "Generation", "DatasetFormat", "LatentDiffusion", "TextConditioning",
        "Checkpoints", "TensorCore", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ObjectWorldTests",
      dependencies: ["ObjectWorld", "Generation", "DatasetFormat", "Imaging", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "GroundingTrainingTests",
      dependencies: [
        "CanonicalJSON", "GroundingTraining", "ModelTraining", "ObjectWorld", "Generation",
        "DatasetExports", "DatasetFormat", "MaskGrounding", "LatentDiffusion", "Imaging",
        "TensorCore", "TestSupport",
      ], swiftSettings: settings),
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "CanonicalJSON", "Evaluation", "ObjectWorld", "Generation", "OpenVocabulary",
        "MaskGrounding", "DatasetExports", "DatasetFormat", "Imaging", "Checkpoints", "TensorCore",
        "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "triptych", "CanonicalJSON", "Checkpoints", "DatasetFormat", "Imaging", "OpenVocabulary",
        "TensorCore", "TestSupport", subprocess,
      ],
      swiftSettings: settings),
  ]
)
