package dev.gatun.models.engine;

import dev.gatun.models.nn.CausalLm;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// The adapters in memory, those not used for the longest time in front, under a budget of bytes.
/// For the engine's thread alone.
final class AdapterStore implements AutoCloseable {
  private final CausalLm model;
  private final long budget;
  private final Map<AdapterHandle, ResidentAdapter> resident = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<AdapterHandle, Long> sizes = new HashMap<>();
  private final Map<AdapterHandle, Integer> running = new HashMap<>();
  private final Set<AdapterHandle> retired = new HashSet<>();
  private final Map<AdapterHandle, Integer> users = new HashMap<>();
  private long bytes;
  private long loads;
  private long next = 1;

  AdapterStore(CausalLm model, long budget) {
    this.model = model;
    this.budget = budget;
  }

  /// Reads a new adapter.
  AdapterHandle add(String name, AdapterSource source, boolean merged) throws IOException {
    ResidentAdapter read = ResidentAdapter.load(model, source, merged);
    if (read.bytes() > budget) {
      read.close();
      throw new EngineException(
          EngineException.Kind.ADAPTER,
          "adapter %s: found %d bytes, expected at most the %d of all adapters"
              .formatted(name, read.bytes(), budget));
    }
    AdapterHandle handle = new AdapterHandle(name, next++, read.rank(), source, merged);
    sizes.put(handle, read.bytes());
    hold(handle, read);
    return handle;
  }

  private void hold(AdapterHandle handle, ResidentAdapter read) {
    loads++;
    resident.put(handle, read);
    bytes += read.bytes();
    Iterator<Map.Entry<AdapterHandle, ResidentAdapter>> eldest = resident.entrySet().iterator();
    while (bytes > budget && eldest.hasNext()) {
      Map.Entry<AdapterHandle, ResidentAdapter> entry = eldest.next();
      if (entry.getKey() != handle && !running.containsKey(entry.getKey())) {
        bytes -= entry.getValue().bytes();
        entry.getValue().close();
        eldest.remove();
      }
    }
  }

  /// Returns whether an adapter is in memory, or fits there beside those that are in use.
  boolean fits(AdapterHandle handle) {
    if (resident.containsKey(handle)) {
      return true;
    }
    long used = 0;
    for (AdapterHandle each : running.keySet()) {
      used += sizes.getOrDefault(each, 0L);
    }
    return used == 0 || used + sizes.getOrDefault(handle, 0L) <= budget;
  }

  /// Returns an adapter's weights, read again where they are not in memory.
  ResidentAdapter get(AdapterHandle handle) {
    ResidentAdapter held = resident.get(handle);
    if (held == null) {
      try {
        held = ResidentAdapter.load(model, handle.from(), handle.isMerged());
      } catch (IOException e) {
        throw new EngineException(
            EngineException.Kind.ADAPTER, "adapter " + handle.name() + ": " + e.getMessage(), e);
      }
      hold(handle, held);
    }
    return held;
  }

  /// Counts a text that will go through the adapter.
  void enter(AdapterHandle handle) {
    users.merge(handle, 1, Integer::sum);
  }

  /// Counts one less.
  ///
  /// @return whether nobody will ask for it again
  boolean leave(AdapterHandle handle) {
    if (users.merge(handle, -1, Integer::sum) == 0) {
      users.remove(handle);
      return dropIfUnused(handle);
    }
    return false;
  }

  /// Keeps an adapter in memory while a sequence runs.
  void pin(AdapterHandle handle) {
    running.merge(handle, 1, Integer::sum);
  }

  /// Lets it go.
  void unpin(AdapterHandle handle) {
    if (running.merge(handle, -1, Integer::sum) == 0) {
      running.remove(handle);
    }
  }

  /// Takes an adapter out of service; texts that have it go on.
  ///
  /// @return whether nobody will ask for it again
  boolean retire(AdapterHandle handle) {
    retired.add(handle);
    return dropIfUnused(handle);
  }

  boolean isRetired(AdapterHandle handle) {
    return retired.contains(handle) || !sizes.containsKey(handle);
  }

  private boolean dropIfUnused(AdapterHandle handle) {
    if (!retired.contains(handle) || users.containsKey(handle)) {
      return false;
    }
    ResidentAdapter held = resident.remove(handle);
    if (held != null) {
      bytes -= held.bytes();
      held.close();
    }
    sizes.remove(handle);
    retired.remove(handle);
    return true;
  }

  int count() {
    return resident.size();
  }

  long bytes() {
    return bytes;
  }

  long loads() {
    return loads;
  }

  @Override
  public void close() {
    resident.values().forEach(ResidentAdapter::close);
    resident.clear();
    bytes = 0;
  }
}
