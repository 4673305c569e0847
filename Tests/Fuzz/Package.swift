// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A fuzz target: a program whose main function is libFuzzer's.
func fuzzer(_ name: String) -> Target {
  .executableTarget(
    name: name,
    dependencies: ["FuzzSupport", .product(name: "TriptychModels", package: "triptych")],
    swiftSettings: settings)
}

let package = Package(
  name: "triptych-fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "triptych", path: "../..")],
  targets: [
    .target(
      name: "FuzzSupport",
      dependencies: [.product(name: "TriptychModels", package: "triptych")],
      swiftSettings: settings),
    fuzzer("FuzzSafetensors"), fuzzer("FuzzZip"), fuzzer("FuzzPickle"),
  ]
)
