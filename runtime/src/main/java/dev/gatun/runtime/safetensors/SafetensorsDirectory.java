package dev.gatun.runtime.safetensors;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The weights of a Hugging Face model directory: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists. Immutable; as thread-safe as the arena.
///
/// @param directory the directory
/// @param tensors by name
/// @param warnings one line each: what the index says that is not so, but does no harm
public record SafetensorsDirectory(
    Path directory, Map<String, TensorEntry> tensors, List<String> warnings) {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final List<String> PICKLES =
      List.of("pytorch_model.bin", "pytorch_model.bin.index.json");

  /// Takes unmodifiable copies.
  public SafetensorsDirectory {
    tensors = Collections.unmodifiableMap(tensors);
    warnings = List.copyOf(warnings);
  }

  /// Maps all weights of a directory. The single file wins over an index, as elsewhere.
  ///
  /// @param directory the model directory
  /// @param arena owner of the mappings
  /// @return the tensors as views of the mappings
  /// @throws MalformedFileException if there are no weights, or a file or the index breaks a rule
  /// @throws IOException if a file cannot be read
  public static SafetensorsDirectory open(Path directory, Arena arena) throws IOException {
    Path single = directory.resolve(SINGLE);
    if (Files.exists(single)) {
      return new SafetensorsDirectory(
          directory, SafetensorsFile.open(single, arena).tensors(), List.of());
    }
    Path index = directory.resolve(INDEX);
    if (Files.exists(index)) {
      return new Index(directory, index).open(arena);
    }
    for (String pickle : PICKLES) {
      if (Files.exists(directory.resolve(pickle))) {
        throw new MalformedFileException(
            directory,
            "weights",
            "only " + pickle + ", a pickle, which can run code",
            SINGLE + "; Python's save_pretrained writes it");
      }
    }
    throw new MalformedFileException(directory, "weights", "none", SINGLE + " or " + INDEX);
  }

  private record Index(Path directory, Path file) {
    SafetensorsDirectory open(Arena arena) throws IOException {
      ObjectNode json = StrictJson.read(file, SafetensorsHeader.MAX_BYTES);
      Map<String, String> shardOf = weightMap(json);
      List<String> warnings = new ArrayList<>();
      Map<String, TensorEntry> tensors = LinkedHashMap.newLinkedHashMap(shardOf.size());
      Map<String, String> foundIn = new TreeMap<>();
      long bytes = 0;
      for (String shard : new TreeSet<>(shardOf.values())) {
        SafetensorsFile part = SafetensorsFile.open(shardPath(shard), arena);
        for (TensorEntry tensor : part.tensors().values()) {
          String name = tensor.name();
          String other = foundIn.putIfAbsent(name, shard);
          if (other != null) {
            throw malformed(
                "tensor '" + name + "'", "it in both " + other + " and " + shard, "one shard");
          }
          bytes += tensor.data().byteSize();
          if (shardOf.containsKey(name)) {
            tensors.put(name, tensor);
          } else {
            warnings.add(
                file + ": tensor '" + name + "' of " + shard + " is not listed and was left out");
          }
        }
      }
      for (Map.Entry<String, String> listed : shardOf.entrySet()) {
        String place = "weight_map '" + listed.getKey() + "'";
        String shard = foundIn.get(listed.getKey());
        if (shard == null) {
          throw malformed(place, "no such tensor in " + listed.getValue(), "the tensor there");
        }
        if (!shard.equals(listed.getValue())) {
          throw malformed(place, listed.getValue(), shard + ", where the tensor is");
        }
      }
      checkTotalSize(json, bytes, warnings);
      return new SafetensorsDirectory(directory, tensors, warnings);
    }

    private Map<String, String> weightMap(ObjectNode json) throws MalformedFileException {
      JsonNode map = json.path("weight_map");
      if (!map.isObject()) {
        throw malformed("weight_map", StrictJson.kind(map), "an object");
      }
      Map<String, String> shardOf = LinkedHashMap.newLinkedHashMap(map.size());
      for (Map.Entry<String, JsonNode> entry : map.properties()) {
        String place = "weight_map '" + entry.getKey() + "'";
        if (!entry.getValue().isString()) {
          throw malformed(place, StrictJson.kind(entry.getValue()), "a file name");
        }
        String shard = entry.getValue().stringValue();
        if (!isPlainName(shard)) {
          throw malformed(place, "'" + shard + "'", "a plain file name that ends in .safetensors");
        }
        shardOf.put(entry.getKey(), shard);
      }
      if (shardOf.isEmpty()) {
        throw malformed("weight_map", "an empty object", "at least one tensor");
      }
      return shardOf;
    }

    // No separator of any platform, and no leading dot: nothing that could leave the directory.
    private static boolean isPlainName(String name) {
      return name.endsWith(".safetensors")
          && !name.startsWith(".")
          && name.length() <= 255
          && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
    }

    private Path shardPath(String shard) throws IOException {
      Path path = directory.resolve(shard);
      if (!Files.exists(path)) {
        throw malformed("shard " + shard, "no such file", "a file beside the index");
      }
      Path realDirectory = directory.toRealPath();
      Path real = path.toRealPath();
      if (!real.startsWith(realDirectory) && !isHubBlob(realDirectory, real)) {
        throw malformed("shard " + shard, "a link to " + real, "a file inside the directory");
      }
      return path;
    }

    // The hub's cache keeps CACHE/snapshots/REVISION/NAME as a link to CACHE/blobs/HASH.
    private static boolean isHubBlob(Path realDirectory, Path real) {
      Path snapshots = realDirectory.getParent();
      return snapshots != null
          && snapshots.endsWith("snapshots")
          && snapshots.resolveSibling("blobs").equals(real.getParent());
    }

    private void checkTotalSize(ObjectNode json, long bytes, List<String> warnings) {
      JsonNode total = json.path("metadata").path("total_size");
      if (total.isNumber() && total.asDouble() != bytes) {
        warnings.add(
            file
                + ": metadata.total_size: found "
                + total.asString()
                + ", expected "
                + bytes
                + ", the bytes of the tensors");
      }
    }

    private MalformedFileException malformed(String place, String found, String expected) {
      return new MalformedFileException(file, place, found, expected);
    }
  }
}
