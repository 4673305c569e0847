/// The program's version, as `--version` prints it and run.json records it.
public enum ProgramVersion {
  /// Major, minor, patch.
  public static let text = "0.1.0"
}
