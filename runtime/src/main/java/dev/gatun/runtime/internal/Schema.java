package dev.gatun.runtime.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The signature of an ATen operator, as libtorch's headers print it.
///
/// @param name operator and overload, for instance `mul.Tensor`
/// @param arguments types of the arguments, for instance `Tensor?`, `int[]`
/// @param results how many results there are
record Schema(String name, List<String> arguments, int results) {
  private static final String RESOURCE = "/dev/gatun/bindings/torch/aten-schemas.txt";
  private static final Map<String, Schema> ALL = read();

  /// Returns the signature of an operator that the bindings list.
  static Schema of(String name) {
    Schema schema = ALL.get(name);
    if (schema == null) {
      throw new IllegalArgumentException(name + ": not in the table of operator schemas");
    }
    return schema;
  }

  private static Map<String, Schema> read() {
    try (InputStream stream = dev.gatun.bindings.torch.Torch.class.getResourceAsStream(RESOURCE)) {
      if (stream == null) {
        throw new IllegalStateException(RESOURCE + ": missing from the bindings");
      }
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
      return reader
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(Schema::parse)
          .collect(Collectors.toMap(Schema::name, schema -> schema));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Parses `name.overload(Type name=default, *, Type name) -> Type` or `-> (Type, Type)`.
  static Schema parse(String text) {
    String line = text.startsWith("aten::") ? text.substring(6) : text;
    int open = line.indexOf('(');
    int arrow = line.lastIndexOf(") -> ");
    List<String> arguments = new ArrayList<>();
    for (String part : split(line.substring(open + 1, arrow))) {
      if (!part.equals("*")) {
        arguments.add(type(part));
      }
    }
    String results = line.substring(arrow + 5).strip();
    int count;
    if (results.startsWith("(")) {
      count = split(results.substring(1, results.length() - 1)).size();
    } else {
      count = 1;
    }
    return new Schema(line.substring(0, open), List.copyOf(arguments), count);
  }

  /// Splits at the commas outside brackets.
  private static List<String> split(String text) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '(' || c == '[') {
        depth++;
      } else if (c == ')' || c == ']') {
        depth--;
      } else if (c == ',' && depth == 0) {
        parts.add(text.substring(start, i).strip());
        start = i + 1;
      }
    }
    String last = text.substring(start).strip();
    if (!last.isEmpty()) {
      parts.add(last);
    }
    return parts;
  }

  /// Returns `int[]` for `SymInt[2] stride=1`, `Tensor` for `Tensor(a!) self`.
  private static String type(String argument) {
    String type = argument.substring(0, argument.indexOf(' '));
    return type.replaceAll("\\([^)]*\\)", "")
        .replace("SymInt", "int")
        .replaceAll("\\[\\d+\\]", "[]");
  }
}
