import ArgumentParser
import CanonicalJSON
import Generation
import Glibc
import LatentDiffusion
import MaskGrounding
import TensorCore

/// `triptych doctor`: whether this machine can run the program.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks at the machine, the output folder and the embedded model.",
    discussion: "Exits with 1 where something is wrong.")

  @OptionGroup var model: ModelOptions

  @Option(name: .long, help: ArgumentHelp("The folder that runs would go to.", valueName: "folder"))
  var output = "Output"

  @OptionGroup var runtime: RuntimeOptions

  /// What is known of the model.
  private struct ModelHealth {
    var sha256: String?
    var isFit = false
    var licence: String?
    /// Of the grounding module that comes with the model.
    var groundingSHA256: String?
    var fault: String?
  }

  func run() throws {
    runtime.apply()
    let writableFault = Self.writableFault(output)
    let health = modelHealth()
    let library = templateFault()
    let memory = MemorySize.machine
    let faults = [writableFault, health.fault, library].compactMap { $0 }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    let levels = KernelLevel.available.map(\.rawValue).joined(separator: ", ")
    var lines = [
      "cpu: \(KernelLevel.processorName)",
      "isa: \(KernelLevel.selected.rawValue) (of \(levels))", "blas core: \(BLAS.coreName)",
      "threads: \(Parallel.threadCount)", "memory: \(MemorySize.text(memory))",
      "output folder \(output): \(writableFault == nil ? "writable" : "not writable")",
      "model: \(health.isFit ? "fits" : "does not fit"), sha256 \(health.sha256 ?? "unknown")",
      "model licence: \(health.licence ?? "not said")",
    ]
    if let digest = health.groundingSHA256 { lines.append("grounding module: sha256 \(digest)") }
    lines += faults.map { "fault: \(Console.oneLine($0))" }
    lines.append(faults.isEmpty ? "all well" : "\(faults.count) fault(s)")
    try runtime.finish(
      [
        .init("cpu", .string(KernelLevel.processorName)),
        .init("isa", .string(KernelLevel.selected.rawValue)),
        .init("blas_core", .string(BLAS.coreName)),
        .init("threads", .integer(Int64(Parallel.threadCount))),
        .init("memory_bytes", .integer(Int64(memory))),
        .init("writable", .bool(writableFault == nil)), .init("model_sha256", text(health.sha256)),
        .init("model_ok", .bool(health.isFit)), .init("model_licence", text(health.licence)),
        .init("grounding_sha256", text(health.groundingSHA256)),
        .init("faults", .array(faults.map { .string($0) })),
      ], text: lines.joined(separator: "\n"))
    if !faults.isEmpty { throw ExitCode(ExitCodes.answerIsNo) }
  }

  /// Finding faults is this command's work, so an error here is an answer and not the end.
  private func modelHealth() -> ModelHealth {
    var health = ModelHealth()
    do {
      let path = try model.path()
      let report = try CheckpointReport(path: path, options: model.singleFile.options)
      let loaded = try model.load()
      health.licence = try loaded.parts.licence()
      health.sha256 = try ModelFingerprint(loaded).sha256
      health.isFit = report.fits
      if !report.fits { health.fault = "\(path): tensors do not fit; see triptych checkpoint" }
      if let grounding = try model.embeddedGrounding() {
        health.groundingSHA256 = try FileDigest.sha256(of: grounding)
        let weights = try GroundingWeights(path: grounding)
        try weights.configuration.checkFits(
          loaded.unetConfiguration, prediction: loaded.prediction(), file: grounding)
        _ = try weights.module()
      }
    } catch {
      health.fault = "\(error)"
    }
    return health
  }

  private func templateFault() -> String? {
    do {
      let library = try TemplateLibrary()
      for name in library.presets("prompts") { _ = try library.templates(name) }
      for name in library.presets("vocabularies") { _ = try library.vocabulary(name) }
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Why a run could not write below `folder`, or below the nearest folder above it that exists.
  private static func writableFault(_ folder: String) -> String? {
    var place = folder
    while access(place, F_OK) != 0, place != "/", place != "." {
      let parent = place.split(separator: "/").dropLast().joined(separator: "/")
      place = place.hasPrefix("/") ? "/" + parent : (parent.isEmpty ? "." : parent)
    }
    let probe = "\(place)/.triptych-\(getpid())"
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      return "\(place): nothing can be written there: \(String(cString: strerror(errno)))"
    }
    close(descriptor)
    unlink(probe)
    return nil
  }
}
