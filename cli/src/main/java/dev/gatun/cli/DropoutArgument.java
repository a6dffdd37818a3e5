package dev.gatun.cli;

import dev.gatun.models.dropout.Dropout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Reads and writes `--dropout NAME[:key=value,...]`.
///
/// Keys: `p` (both rates), `p_key`, `p_hidden`, `lambda`, `layers=all|latter-half`,
/// `both=true|false`.
final class DropoutArgument implements ITypeConverter<Dropout> {
  private static final double RATE = 0.1;
  private static final Set<String> LATER = Set.of("dropattention", "lora-dropout");

  @Override
  public Dropout convert(String text) {
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    Map<String, String> settings = settings(colon < 0 ? "" : text.substring(colon + 1));
    try {
      double p = number(settings, "p", RATE);
      double key = number(settings, "p_key", p);
      double hidden = number(settings, "p_hidden", p);
      Dropout method =
          switch (name) {
            case "none" -> Dropout.NONE;
            case "hiddenkey-minus" -> Dropout.hiddenKeyMinus(key, hidden);
            case "hiddenkey" -> Dropout.hiddenKey(key, hidden, number(settings, "lambda", 1));
            case "dropkey" -> Dropout.dropKey(key);
            case "hiddencut" -> Dropout.hiddenCut(hidden);
            default ->
                throw new TypeConversionException(
                    LATER.contains(name)
                        ? name + " is not implemented yet"
                        : "found '"
                            + name
                            + "', expected none, hiddenkey-minus, hiddenkey, dropkey or hiddencut");
          };
      Dropout placed = method.withLayers(layers(settings));
      Dropout result = placed.withBothBranches(flag(settings, "both"));
      if (!settings.isEmpty()) {
        throw new TypeConversionException(
            "found '"
                + settings.keySet().iterator().next()
                + "', expected p, p_key, p_hidden, lambda, layers or both");
      }
      return result;
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /// Returns the text that [#convert] makes this method of.
  static String text(Dropout method) {
    if (!method.masks()) {
      return "none";
    }
    List<String> settings = new ArrayList<>();
    if (!method.name().equals("hiddencut")) {
      settings.add("p_key=" + method.keyRate());
    }
    if (!method.name().equals("dropkey")) {
      settings.add("p_hidden=" + method.hiddenRate());
    }
    if (method.name().equals("hiddenkey")) {
      settings.add("lambda=" + method.lambda());
    }
    if (method.layers() == Dropout.Layers.ALL) {
      settings.add("layers=all");
    }
    if (method.bothBranches()) {
      settings.add("both=true");
    }
    return method.name() + ":" + String.join(",", settings);
  }

  private static Map<String, String> settings(String text) {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String part : text.isEmpty() ? new String[0] : text.split(",")) {
      int equals = part.indexOf('=');
      if (equals < 1) {
        throw new TypeConversionException("found '" + part + "', expected key=value");
      }
      settings.put(part.substring(0, equals), part.substring(equals + 1));
    }
    return settings;
  }

  private static double number(Map<String, String> settings, String key, double missing) {
    String value = settings.remove(key);
    try {
      return value == null ? missing : Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw new TypeConversionException(key + ": found '" + value + "', expected a number");
    }
  }

  private static boolean flag(Map<String, String> settings, String key) {
    String value = settings.remove(key);
    if (value != null && !value.equals("true") && !value.equals("false")) {
      throw new TypeConversionException(key + ": found '" + value + "', expected true or false");
    }
    return "true".equals(value);
  }

  private static Dropout.Layers layers(Map<String, String> settings) {
    String value = settings.remove("layers");
    return switch (value == null ? "latter-half" : value) {
      case "latter-half" -> Dropout.Layers.LATTER_HALF;
      case "all" -> Dropout.Layers.ALL;
      default ->
          throw new TypeConversionException(
              "layers: found '" + value + "', expected all or latter-half");
    };
  }
}
