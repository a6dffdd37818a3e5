package dev.gatun.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The models that requests can name: the base and its adapters. Thread-safe.
final class Adapters {
  private static final int MOST_NAME = 200;

  private final ServedModel model;
  private final String base;
  private final @Nullable AdapterFolder folder;
  private final Metrics metrics;
  private final long created = System.currentTimeMillis() / 1000;
  private final Map<String, Long> loaded = new ConcurrentHashMap<>();

  /// @param base the model's name
  /// @param folder where requests may load adapters from, or null
  Adapters(ServedModel model, String base, @Nullable AdapterFolder folder, Metrics metrics) {
    this.model = model;
    this.base = base;
    this.folder = folder;
    this.metrics = metrics;
  }

  /// Returns the base's name.
  String base() {
    return base;
  }

  /// Returns the names of the adapters in service.
  List<String> names() {
    return model.adapters();
  }

  /// Returns the name to answer with: the asked one, or the base's where none was.
  String name(@Nullable String asked) {
    return asked == null ? base : asked;
  }

  /// Returns the name as an adapter's, or null if it is the base's.
  ///
  /// @throws ApiException if there is none
  @Nullable String adapter(String name) {
    if (name.equals(base)) {
      return null;
    }
    if (!model.has(name)) {
      throw ApiException.noModel(name);
    }
    return name;
  }

  /// Loads an adapter from anywhere, in place of another of its name.
  ///
  /// @throws IllegalArgumentException if the name cannot be one
  void load(String name, Path directory) throws IOException {
    if (name.isBlank()
        || name.length() > MOST_NAME
        || name.codePoints().anyMatch(Character::isISOControl)
        || name.equals(base)) {
      throw new IllegalArgumentException(
          "lora_name: found \"%s\", expected a name of up to %d characters that is not the model's"
              .formatted(name, MOST_NAME));
    }
    model.load(name, directory);
    loaded.put(name, System.currentTimeMillis() / 1000);
  }

  /// `/v1/load_lora_adapter`.
  void load(Exchange exchange) throws IOException {
    AdapterFolder allowed = folder();
    JsonFields fields = exchange.fields();
    String name = fields.requiredText("lora_name");
    String path = fields.requiredText("lora_path");
    boolean inPlace = fields.flag("load_inplace");
    Path directory = allowed.find(path);
    if (model.has(name) && !inPlace) {
      throw ApiException.field("lora_name", "one in service", "another, or load_inplace");
    }
    int most = model.mostAdapters();
    if (loaded.size() >= most && !loaded.containsKey(name)) {
      throw ApiException.field("lora_name", most + " in service", "fewer: unload one");
    }
    try {
      load(name, directory);
    } catch (IOException | IllegalArgumentException e) {
      throw ApiException.invalid(
          e instanceof IOException ? "lora_path" : "lora_name",
          allowed.hide(String.valueOf(e.getMessage())));
    }
    exchange.send("Success: LoRA adapter '" + name + "' added successfully.");
  }

  /// `/v1/unload_lora_adapter`.
  void unload(Exchange exchange) {
    folder();
    String name = exchange.fields().requiredText("lora_name");
    if (!model.unload(name)) {
      throw ApiException.notFound(
          "lora_name", "lora_name: found " + name + ", expected an adapter in service");
    }
    loaded.remove(name);
    metrics.forget(name);
    exchange.send("Success: LoRA adapter '" + name + "' removed successfully.");
  }

  private AdapterFolder folder() {
    if (folder == null) {
      throw ApiException.forbidden(
          null, "adapters: found no folder to load them from, expected a server started with one");
    }
    return folder;
  }

  /// `/v1/models`.
  void list(Exchange exchange) {
    ObjectNode all = Json.object();
    all.put("object", "list");
    ArrayNode data = all.putArray("data");
    data.add(card(base));
    model.adapters().forEach(adapter -> data.add(card(adapter)));
    exchange.send(all);
  }

  /// `/v1/models/{id}`.
  void show(Exchange exchange) {
    String name = exchange.pathPart("id");
    adapter(name);
    exchange.send(card(name));
  }

  private ObjectNode card(String name) {
    ObjectNode card = Json.object();
    card.put("id", name);
    card.put("object", "model");
    card.put("created", loaded.getOrDefault(name, created));
    card.put("owned_by", "gatun");
    card.put("root", base);
    card.put("parent", name.equals(base) ? null : base);
    card.put("max_model_len", model.maxTokens());
    return card;
  }
}
