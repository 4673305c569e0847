import Glibc

/// What the process has taken of the machine.
public enum ProcessUsage {
  /// The most memory it held at once, in bytes.
  public static var peakResidentBytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
