package dev.gatun.models.engine;

/// An adapter of an [Engine], as it was when it was loaded: another that is loaded under the same
/// name later is another handle, and requests with this one go on with this one.
public final class AdapterHandle {
  private final String name;
  private final long generation;
  private final int rank;
  private final AdapterSource source;
  private final boolean merged;
  private final long bytes;
  private final long branchBytes;

  /// @param read its weights
  AdapterHandle(
      String name, long generation, AdapterSource source, boolean merged, ResidentAdapter read) {
    this.name = name;
    this.generation = generation;
    this.rank = read.rank();
    this.source = source;
    this.merged = merged;
    this.bytes = read.bytes();
    this.branchBytes = read.branchBytes();
  }

  /// An adapter under a draw of an ensemble's masks.
  AdapterHandle(long generation, AdapterSource.Draw draw) {
    AdapterHandle whole = draw.adapter();
    this.name = whole.name;
    this.generation = generation;
    this.rank = whole.rank;
    this.source = draw;
    this.merged = false;
    this.bytes = whole.branchBytes;
    this.branchBytes = whole.branchBytes;
  }

  /// {@return the name that requests find it by}
  public String name() {
    return name;
  }

  /// {@return its number: no two handles of an engine have the same}
  public long generation() {
    return generation;
  }

  /// {@return its largest rank}
  public int rank() {
    return rank;
  }

  /// {@return where it came from, for people}
  public String source() {
    return source.toString();
  }

  /// {@return whether a batch in which it is alone goes through weights that it was added to}
  public boolean isMerged() {
    return merged;
  }

  AdapterSource from() {
    return source;
  }

  /// Returns the bytes that it takes in memory.
  long bytes() {
    return bytes;
  }

  /// Returns those of its branches, without what it replaces and what it was merged into.
  long branchBytes() {
    return branchBytes;
  }

  @Override
  public String toString() {
    return name + " #" + generation + " (" + source + ")";
  }
}
