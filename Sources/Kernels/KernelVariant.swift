/// The instruction set whose kernels `Float` uses.
public enum KernelVariant: String, Sendable, CaseIterable {
  /// One number at a time, on any processor.
  case reference

  /// What this process uses.
  public static let current: KernelVariant = .reference
}
