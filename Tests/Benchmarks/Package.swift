// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "triptych-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "triptych", path: "../.."),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "Kernels",
      dependencies: [
        .product(name: "TriptychModels", package: "triptych"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/Kernels",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ]
)
