package dev.gatun.models.engine;

import dev.gatun.models.nn.CausalLm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The adapters in memory, those not used for the longest time in front, under a budget of bytes.
/// For the engine's thread alone.
///
/// Each draw of an ensemble is an adapter with a handle of its own, so that its weights, its pages
/// and its rows in a pass are kept apart as those of any two adapters are. Texts that ask for the
/// same draw share its handle, for as long as one of them has not ended or the draw is in memory.
final class AdapterStore implements AutoCloseable {
  private final CausalLm model;
  private final long budget;
  private final Map<AdapterHandle, ResidentAdapter> resident = new LinkedHashMap<>(16, 0.75f, true);
  private final Set<AdapterHandle> known = new HashSet<>();
  private final Map<AdapterSource.Draw, AdapterHandle> draws = new HashMap<>();
  private final Map<AdapterHandle, Integer> running = new HashMap<>();
  private final Set<AdapterHandle> retired = new HashSet<>();
  private final Map<AdapterHandle, Integer> users = new HashMap<>();
  private final Consumer<AdapterHandle> whenForgotten;
  private long bytes;
  private long loads;
  private long next = 1;

  /// @param whenForgotten is told of each adapter that nobody will ask for again
  AdapterStore(CausalLm model, long budget, Consumer<AdapterHandle> whenForgotten) {
    this.model = model;
    this.budget = budget;
    this.whenForgotten = whenForgotten;
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
    AdapterHandle handle = new AdapterHandle(name, next++, source, merged, read);
    known.add(handle);
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
        forgetIfUnused(entry.getKey());
      }
    }
  }

  /// Returns whether adapters are in memory, or fit there beside those that are in use.
  boolean fit(List<AdapterHandle> handles) {
    if (running.isEmpty() || resident.keySet().containsAll(handles)) {
      return true;
    }
    Set<AdapterHandle> used = new HashSet<>(running.keySet());
    used.addAll(handles);
    return used.stream().mapToLong(AdapterHandle::bytes).sum() <= budget;
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

  /// Counts a text that will go through an adapter, or through draws of it.
  ///
  /// @return the adapter and the draws behind it; nothing where there is no adapter
  List<AdapterHandle> enter(@Nullable AdapterHandle adapter, @Nullable AdapterEnsemble ensemble) {
    List<AdapterHandle> all = new ArrayList<>();
    if (adapter != null) {
      all.add(adapter);
      if (ensemble != null) {
        for (AdapterEnsemble.Draw masks : ensemble.draws()) {
          all.add(draws.computeIfAbsent(new AdapterSource.Draw(adapter, masks), this::drawn));
        }
      }
    }
    all.forEach(this::enter);
    return all;
  }

  private AdapterHandle drawn(AdapterSource.Draw draw) {
    AdapterHandle handle = new AdapterHandle(next++, draw);
    known.add(handle);
    return handle;
  }

  /// Counts another text that will go through the adapter.
  void enter(AdapterHandle handle) {
    users.merge(handle, 1, Integer::sum);
  }

  /// Counts one less.
  void leave(AdapterHandle handle) {
    if (users.merge(handle, -1, Integer::sum) == 0) {
      users.remove(handle);
      forgetIfUnused(handle);
    }
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

  /// Takes an adapter out of service, with its draws; texts that have it go on.
  void retire(AdapterHandle handle) {
    List<AdapterHandle> all = new ArrayList<>(List.of(handle));
    draws.forEach((draw, of) -> {
      if (draw.adapter() == handle) {
        all.add(of);
      }
    });
    retired.addAll(all);
    all.forEach(this::forgetIfUnused);
  }

  boolean isRetired(AdapterHandle handle) {
    return retired.contains(handle) || !known.contains(handle);
  }

  /// Forgets an adapter that no text has, if it is out of service, or a draw out of memory.
  private void forgetIfUnused(AdapterHandle handle) {
    ResidentAdapter held = resident.get(handle);
    boolean isOver =
        retired.contains(handle) || (held == null && handle.from() instanceof AdapterSource.Draw);
    if (!isOver || users.containsKey(handle)) {
      return;
    }
    if (held != null) {
      resident.remove(handle);
      bytes -= held.bytes();
      held.close();
    }
    if (handle.from() instanceof AdapterSource.Draw draw) {
      draws.remove(draw);
    }
    known.remove(handle);
    retired.remove(handle);
    whenForgotten.accept(handle);
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
