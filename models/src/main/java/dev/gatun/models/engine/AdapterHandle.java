package dev.gatun.models.engine;

/// An adapter of an [Engine], as it was when it was loaded: another that is loaded under the same
/// name later is another handle, and requests with this one go on with this one.
public final class AdapterHandle {
  private final String name;
  private final long generation;
  private final int rank;
  private final AdapterSource source;
  private final boolean merged;

  AdapterHandle(String name, long generation, int rank, AdapterSource source, boolean merged) {
    this.name = name;
    this.generation = generation;
    this.rank = rank;
    this.source = source;
    this.merged = merged;
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

  @Override
  public String toString() {
    return name + " #" + generation + " (" + source + ")";
  }
}
