import Generation
import Glibc
import Synchronization

/// The signals that ask the program to stop.
///
/// The first is noted and obeyed at the next step, but after some seconds at the latest; the second at once. What is
/// kept on disk is whole at any moment, so stopping hard loses no finished work.
enum Interruption {
  /// How long a step may go on after the first signal, in seconds.
  fileprivate static let patience: UInt32 = 4

  private static let received = Atomic<Int32>(0)

  /// Starts listening; writing to a closed pipe becomes an ordinary error.
  static func install() {
    _ = signalNumber
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGINT, SIGTERM] { signal(number, handler) }
    signal(SIGALRM) { _ in _exit(Interruption.exitCode(Interruption.signalNumber)) }
    // Started under nohup, the program outlives its terminal.
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    let isIgnored =
      unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
    if !isIgnored { signal(SIGHUP, handler) }
  }

  /// The first signal received; 0 before any.
  static var signalNumber: Int32 { received.load(ordering: .relaxed) }

  /// The exit code of a run stopped by `number`; a hang-up counts as a request to terminate.
  static func exitCode(_ number: Int32) -> Int32 { number == SIGINT ? 130 : 143 }

  /// Ends the work once a signal has come.
  ///
  /// - Parameters:
  ///   - place: the file or command that is at work.
  ///   - leaving: what the work leaves behind.
  ///   - reporter: the progress line to end first.
  /// - Throws: ``GenerationError`` `interrupted`.
  static func check(
    _ place: String, leaving: String = "what is finished stays, the same command goes on",
    _ reporter: ProgressReporter? = nil
  ) throws {
    guard signalNumber != 0 else { return }
    reporter?.finish()
    throw GenerationError(.interrupted, place, "stopped; \(leaving)")
  }

  fileprivate static func note(_ number: Int32) -> Bool {
    received.compareExchange(expected: 0, desired: number, ordering: .relaxed).exchanged
  }
}

private func handler(_ number: Int32) {
  if Interruption.note(number) {
    alarm(Interruption.patience)
  } else {
    _exit(Interruption.exitCode(number))
  }
}
