import Glibc
import Synchronization

/// The signals that ask the program to stop: the first is noted and obeyed at the next step, the second at once.
enum Interruption {
  private static let received = Atomic<Int32>(0)

  /// Starts listening; writing to a closed pipe becomes an ordinary error.
  static func install() {
    _ = signalNumber
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGINT, SIGTERM] { signal(number, handler) }
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

  fileprivate static func note(_ number: Int32) -> Bool {
    received.compareExchange(expected: 0, desired: number, ordering: .relaxed).exchanged
  }
}

private func handler(_ number: Int32) {
  if !Interruption.note(number) { _exit(Interruption.exitCode(number)) }
}
