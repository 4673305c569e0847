import ArgumentParser
import Checkpoints
import DatasetExports
import DatasetFormat
import Generation
import Glibc
import Imaging
import LatentDiffusion
import MaskGrounding
import ModelTraining
import OpenVocabulary

/// Exit codes after sysexits(3), one place for all errors.
enum ExitCodes {
  static let answerIsNo: Int32 = 1
  static let usage: Int32 = 64
  static let badData: Int32 = 65
  static let inputMissing: Int32 = 66
  static let ourBug: Int32 = 70
  static let cannotCreate: Int32 = 73
  static let inputOutput: Int32 = 74
  static let tryAgain: Int32 = 75
  static let otherConfiguration: Int32 = 78

  /// The exit code of an error that ended a command.
  static func code(for error: any Error) -> Int32 {
    switch error {
    case let error as GenerationError: code(for: error.code)
    case let error as CheckpointError: code(for: error)
    case let error as DiffusionError: code(for: error.code)
    case is EntityError: usage
    case let error as TrainingError: error.code == .diverged ? badData : usage
    case let error as DatasetError: error.code.exitStatus
    case let error as ExportError: code(for: error.code)
    case let error as ImagingError: code(for: error.code)
    case let error as SegmenterError: error.code == .usage ? usage : badData
    case let error as Console.OutputFault: error.number == ENOSPC ? tryAgain : inputOutput
    default: TriptychCommand.exitCode(for: error).rawValue
    }
  }

  private static func code(for code: GenerationError.Code) -> Int32 {
    switch code {
    case .usage: usage
    case .malformed, .notFinite: badData
    case .missingInput: inputMissing
    case .unreadable: inputOutput
    case .unwritable: cannotCreate
    case .tryAgain: tryAgain
    case .interrupted: Interruption.exitCode(Interruption.signalNumber)
    }
  }

  private static func code(for code: ImagingError.Code) -> Int32 {
    switch code {
    case .outOfMemory: tryAgain
    case .missingFile: inputMissing
    case .unreadable: inputOutput
    default: badData
    }
  }

  private static func code(for code: ExportError.Code) -> Int32 {
    switch code {
    case .usage: usage
    case .malformed: badData
    case .cannotCreate: cannotCreate
    }
  }

  private static func code(for code: DiffusionError.Code) -> Int32 {
    switch code {
    case .malformed, .unsupported, .notFinite: badData
    case .invalidSetting: usage
    }
  }

  private static func code(for error: CheckpointError) -> Int32 {
    switch error.code {
    case .unwritable where error.errorNumber == ENOSPC || error.errorNumber == EDQUOT: tryAgain
    case .missingFile: inputMissing
    case .unreadable: inputOutput
    case .unwritable: cannotCreate
    case .malformed, .missingTensor, .wrongShape, .unsupported, .notFinite, .unusedTensors: badData
    }
  }
}
