package dev.gatun.server;

import dev.gatun.models.engine.EngineStats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a server is about: a base, its adapters, and what can be asked of them. Thread-safe.
interface ServedModel {
  /// Returns its directory's own name.
  String name();

  /// Returns tokens of a text at most.
  int maxTokens();

  /// Returns the names of the adapters in service.
  List<String> adapters();

  /// Returns whether an adapter is in service.
  boolean has(String adapter);

  /// Returns how many adapters requests may have in service.
  int mostAdapters();

  /// Loads an adapter, in place of another of its name; whoever is being answered through that one
  /// still is.
  ///
  /// @throws IOException if it cannot be read or does not fit the model
  void load(String name, Path directory) throws IOException;

  /// Takes an adapter out of service.
  ///
  /// @return whether there was one
  boolean unload(String name);

  /// Returns where its engine stands, or null if it has none.
  @Nullable EngineStats stats();

  /// Adds what can be asked of it, and a clear refusal of what cannot.
  void addTo(Routes routes, Serving serving);
}
