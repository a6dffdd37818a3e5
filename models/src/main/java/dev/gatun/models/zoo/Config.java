package dev.gatun.models.zoo;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A model's config.json: every value is read with its default and checked, and an error names the
/// key.
public final class Config {
  private static final int MAX_BYTES = 16 << 20;

  private final Path file;
  private final ObjectNode json;

  private Config(Path file, ObjectNode json) {
    this.file = file;
    this.json = json;
  }

  /// Reads config.json of a model directory.
  ///
  /// @param directory the model's folder
  /// @return the config
  /// @throws MalformedFileException if it is missing or is not one JSON object
  /// @throws IOException if it cannot be read
  public static Config read(Path directory) throws IOException {
    return read(directory, "config.json");
  }

  /// Reads another JSON file of the directory.
  ///
  /// @param directory the model's folder
  /// @param name name of the file
  /// @return the config
  /// @throws MalformedFileException if it is missing or is not one JSON object
  /// @throws IOException if it cannot be read
  public static Config read(Path directory, String name) throws IOException {
    Path file = directory.resolve(name);
    if (!Files.isRegularFile(file)) {
      throw new MalformedFileException(directory, name, "no such file", "a model's config");
    }
    return new Config(file, StrictJson.read(file, MAX_BYTES));
  }

  /// {@return the JSON object, for keys that are only passed on}
  public ObjectNode json() {
    return json;
  }

  private JsonNode get(String key) {
    JsonNode node = json;
    for (String part : key.split("\\.", -1)) {
      node = node.path(part);
    }
    return node;
  }

  private boolean absent(String key) {
    JsonNode node = get(key);
    return node.isMissingNode() || node.isNull();
  }

  /// {@return the error for a value that cannot be used}
  ///
  /// @param key the key; dots lead into nested objects
  /// @param expected what would be right, for the message
  public MalformedFileException refused(String key, String expected) {
    return new MalformedFileException(file, key, describe(get(key)), expected);
  }

  private static String describe(JsonNode node) {
    return node.isString() ? "'" + node.asString() + "'" : StrictJson.kind(node);
  }

  /// {@return whether a key has a value other than null}
  ///
  /// @param key the key; dots lead into nested objects
  public boolean has(String key) {
    return !absent(key);
  }

  /// {@return a string, or null}
  ///
  /// @param key the key; dots lead into nested objects
  /// @throws MalformedFileException if the value is of another kind
  public @Nullable String text(String key) throws MalformedFileException {
    if (absent(key)) {
      return null;
    }
    if (!get(key).isString()) {
      throw refused(key, "a string");
    }
    return get(key).asString();
  }

  /// {@return a whole number above 0}
  ///
  /// @param key the key; dots lead into nested objects
  /// @param missing the value where the key is missing or null
  /// @throws MalformedFileException if the value is not a whole number above 0
  public int positive(String key, int missing) throws MalformedFileException {
    if (absent(key)) {
      return missing;
    }
    JsonNode node = get(key);
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.asInt() < 1) {
      throw refused(key, "a whole number above 0");
    }
    return node.asInt();
  }

  /// {@return a whole number above 0 that has no default}
  ///
  /// @param key the key; dots lead into nested objects
  /// @throws MalformedFileException if the value is missing or not a whole number above 0
  public int positive(String key) throws MalformedFileException {
    if (absent(key)) {
      throw refused(key, "a whole number above 0");
    }
    return positive(key, 1);
  }

  /// {@return a whole number between two limits}
  ///
  /// @param key the key; dots lead into nested objects
  /// @param missing the value where the key is missing or null
  /// @param least the smallest value that is not refused
  /// @param most the largest
  /// @throws MalformedFileException if the value is not a whole number from `least` to `most`
  public int within(String key, int missing, int least, int most) throws MalformedFileException {
    if (absent(key)) {
      return missing;
    }
    JsonNode node = get(key);
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.asInt() < least
        || node.asInt() > most) {
      throw refused(key, "a whole number from " + least + " to " + most);
    }
    return node.asInt();
  }

  /// {@return a number above 0}
  ///
  /// @param key the key; dots lead into nested objects
  /// @param missing the value where the key is missing or null
  /// @throws MalformedFileException if the value is not a number above 0
  public double positiveReal(String key, double missing) throws MalformedFileException {
    if (absent(key)) {
      return missing;
    }
    JsonNode node = get(key);
    if (!node.isNumber() || !(node.asDouble() > 0) || Double.isInfinite(node.asDouble())) {
      throw refused(key, "a number above 0");
    }
    return node.asDouble();
  }

  /// {@return a number above 0 that has no default}
  ///
  /// @param key the key; dots lead into nested objects
  /// @throws MalformedFileException if the value is missing or not a number above 0
  public double positiveReal(String key) throws MalformedFileException {
    if (absent(key)) {
      throw refused(key, "a number above 0");
    }
    return positiveReal(key, 1);
  }

  /// {@return a truth value}
  ///
  /// @param key the key; dots lead into nested objects
  /// @param missing the value where the key is missing or null
  /// @throws MalformedFileException if the value is of another kind
  public boolean flag(String key, boolean missing) throws MalformedFileException {
    if (absent(key)) {
      return missing;
    }
    if (!get(key).isBoolean()) {
      throw refused(key, "true or false");
    }
    return get(key).asBoolean();
  }

  /// {@return the words of a key that holds a list of them, or one string with bars between them;
  /// empty where it is missing}
  ///
  /// @param key the key; dots lead into nested objects
  /// @throws MalformedFileException if the value is of another kind
  public Set<String> words(String key) throws MalformedFileException {
    Set<String> words = new LinkedHashSet<>();
    if (absent(key)) {
      return words;
    }
    JsonNode node = get(key);
    if (node.isString()) {
      for (String word : node.asString().split("\\|", -1)) {
        words.add(word.strip().toLowerCase(Locale.ROOT));
      }
      return words;
    }
    if (!node.isArray() || !node.valueStream().allMatch(JsonNode::isString)) {
      throw refused(key, "a string or a list of strings");
    }
    node.forEach(word -> words.add(word.asString()));
    return words;
  }

  /// Refuses a value that is there but no JSON object.
  ///
  /// @param key the key; dots lead into nested objects
  /// @throws MalformedFileException if the value is neither missing nor null nor an object
  public void expectObject(String key) throws MalformedFileException {
    if (!absent(key) && !get(key).isObject()) {
      throw refused(key, "an object");
    }
  }

  /// Refuses any value of a key but these; a missing one means the first.
  ///
  /// @param key the key; dots lead into nested objects
  /// @param missing what a missing or null key means
  /// @param allowed the values that are not refused
  /// @throws MalformedFileException if the value is another one or of another kind
  public void expect(String key, String missing, String... allowed) throws MalformedFileException {
    String found = text(key);
    if (!Arrays.asList(allowed).contains(found == null ? missing : found)) {
      throw refused(key, String.join(" or ", allowed));
    }
  }

  /// Refuses a truth value other than this one, which is also the default.
  ///
  /// @param key the key; dots lead into nested objects
  /// @param wanted the value that is not refused
  /// @throws MalformedFileException if the value is the other one or of another kind
  public void expectBoolean(String key, boolean wanted) throws MalformedFileException {
    if (flag(key, wanted) != wanted) {
      throw refused(key, Boolean.toString(wanted));
    }
  }

  /// Refuses sizes of which one does not divide the other.
  ///
  /// @param key the key of the size to divide, for the message
  /// @param whole the size to divide
  /// @param partKey the key of the divisor, for the message
  /// @param part the size that must divide it
  /// @throws MalformedFileException if `part` does not divide `whole`
  public void divides(String key, int whole, String partKey, int part)
      throws MalformedFileException {
    if (whole % part != 0) {
      throw new MalformedFileException(
          file, partKey, Integer.toString(part), "a divisor of " + key + " = " + whole);
    }
  }

  /// {@return the token ids of a key that holds one or a list of them; empty where it is missing}
  ///
  /// @param key the key; dots lead into nested objects
  /// @throws MalformedFileException if the value is neither an id nor a list of ids
  public Set<Integer> tokenIds(String key) throws MalformedFileException {
    Set<Integer> ids = new LinkedHashSet<>();
    if (absent(key)) {
      return ids;
    }
    List<JsonNode> nodes = new ArrayList<>();
    if (get(key).isArray()) {
      get(key).forEach(nodes::add);
    } else {
      nodes.add(get(key));
    }
    for (JsonNode node : nodes) {
      if (!node.isIntegralNumber() || !node.canConvertToInt() || node.asInt() < 0) {
        throw refused(key, "a token id or a list of them");
      }
      ids.add(node.asInt());
    }
    return ids;
  }
}
