package dev.gatun.models.dropout;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A dropout method as a line of text, `METHOD[:key=value,...]`, as command line and recipes have
/// it.
///
/// A method is a name (`none`, `hiddenkey-minus`, `hiddenkey`, `dropkey`, `dropattention`,
/// `hiddencut`, `lora-dropout`) with keys `p` (all rates), `p_key`, `p_hidden`; or its masks,
/// joined by `+`: `POSITION[-PATTERN][/RESCALING]@RATE[-falling|-rising]`. Further keys: `lambda`,
/// `loss=kl|js`, `layers=all|latter-half`, `both=true|false`, `n` (instances).
public final class DropoutText {
  private static final double RATE = 0.1;
  private static final int INSTANCES = 4;
  private static final String NAMES =
      "none, hiddenkey-minus, hiddenkey, dropkey, dropattention, hiddencut, lora-dropout, or masks"
          + " such as key-column@0.1+hidden-element@0.1";

  private DropoutText() {}

  /// {@return the method that a text means}
  ///
  /// @param text the text
  /// @throws IllegalArgumentException if it means none; the message says why
  public static Dropout parse(String text) {
    return parse(text, Dropout.Layers.LATTER_HALF);
  }

  /// {@return the method that a text means for models of which other layers are usually masked}
  ///
  /// @param text the text
  /// @param usual which layers are masked where the text does not say it
  /// @throws IllegalArgumentException if it means none; the message says why
  public static Dropout parse(String text, Dropout.Layers usual) {
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    Map<String, String> settings = settings(colon < 0 ? "" : text.substring(colon + 1));
    Dropout method = name.contains("@") ? masks(name) : named(name, settings);
    Agreement agreement = constant("loss", settings.remove("loss"), Agreement.KL);
    double lambda = number(settings, "lambda", method.lambda());
    Dropout result =
        method
            .withAgreement(agreement, lambda)
            .withBothBranches(flag(settings, "both"))
            .withLayers(constant("layers", settings.remove("layers"), usual))
            .withInstances((int) number(settings, "n", method.instances()));
    if (!settings.isEmpty()) {
      throw new IllegalArgumentException(
          "found '"
              + settings.keySet().iterator().next()
              + "', expected p, p_key, p_hidden, lambda, loss, layers, both or n");
    }
    return result;
  }

  private static Dropout named(String name, Map<String, String> settings) {
    double p = number(settings, "p", RATE);
    return switch (name) {
      case "none" -> Dropout.NONE;
      case "hiddenkey-minus" ->
          Dropout.hiddenKeyMinus(number(settings, "p_key", p), number(settings, "p_hidden", p));
      case "hiddenkey" ->
          Dropout.hiddenKey(number(settings, "p_key", p), number(settings, "p_hidden", p), 1);
      case "dropkey" -> Dropout.dropKey(number(settings, "p_key", p));
      case "dropattention" -> Dropout.dropAttention(p);
      case "hiddencut" -> Dropout.hiddenCut(number(settings, "p_hidden", p));
      case "lora-dropout" -> Dropout.loraDropout(p, INSTANCES);
      default -> throw new IllegalArgumentException("found '" + name + "', expected " + NAMES);
    };
  }

  private static Dropout masks(String text) {
    return Dropout.of(Stream.of(text.split("\\+", -1)).map(DropoutText::mask).toArray(Mask[]::new));
  }

  private static Mask mask(String text) {
    int at = text.indexOf('@');
    if (at < 0) {
      throw new IllegalArgumentException("found '" + text + "', expected " + "POSITION@RATE");
    }
    String what = text.substring(0, at);
    int slash = what.indexOf('/');
    String where = slash < 0 ? what : what.substring(0, slash);
    int dash = where.indexOf('-');
    Position position =
        constant("position", dash < 0 ? where : where.substring(0, dash), Position.KEY);
    Pattern pattern =
        dash < 0
            ? Mask.usualPattern(position)
            : constant("pattern", where.substring(dash + 1), Pattern.ELEMENT);
    Rescaling rescaling =
        slash < 0
            ? Mask.usualRescaling(position, pattern)
            : constant("rescaling", what.substring(slash + 1), Rescaling.NONE);
    String rate = text.substring(at + 1);
    Depth depth = Depth.CONSTANT;
    for (Depth each : List.of(Depth.FALLING, Depth.RISING)) {
      if (rate.endsWith("-" + name(each))) {
        depth = each;
        rate = rate.substring(0, rate.length() - name(each).length() - 1);
      }
    }
    return new Mask(position, pattern, number(where, rate), depth, rescaling);
  }

  /// {@return the text that [#parse] makes this method of}
  ///
  /// @param method the method
  public static String of(Dropout method) {
    if (!method.drops()) {
      return "none";
    }
    List<String> settings = new ArrayList<>();
    if (method.lambda() > 0) {
      settings.add("lambda=" + method.lambda());
      if (method.agreement() != Agreement.KL) {
        settings.add("loss=" + name(method.agreement()));
      }
    }
    if (method.layers() == Dropout.Layers.ALL) {
      settings.add("layers=all");
    }
    if (method.bothBranches()) {
      settings.add("both=true");
    }
    if (method.instances() > 1) {
      settings.add("n=" + method.instances());
    }
    String masks = method.masks().stream().map(DropoutText::text).collect(Collectors.joining("+"));
    return settings.isEmpty() ? masks : masks + ":" + String.join(",", settings);
  }

  private static String text(Mask mask) {
    String rescaling =
        mask.rescaling() == Mask.usualRescaling(mask.position(), mask.pattern())
            ? ""
            : "/" + name(mask.rescaling());
    String depth = mask.depth() == Depth.CONSTANT ? "" : "-" + name(mask.depth());
    return name(mask.position())
        + "-"
        + name(mask.pattern())
        + rescaling
        + "@"
        + mask.rate()
        + depth;
  }

  /// Returns a constant's name as the text has it.
  static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Map<String, String> settings(String text) {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String part : text.isEmpty() ? new String[0] : text.split(",")) {
      int equals = part.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("found '" + part + "', expected key=value");
      }
      settings.put(part.substring(0, equals), part.substring(equals + 1));
    }
    return settings;
  }

  private static double number(Map<String, String> settings, String key, double missing) {
    String value = settings.remove(key);
    return value == null ? missing : number(key, value);
  }

  private static double number(String key, String value) {
    try {
      return Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(key + ": found '" + value + "', expected a number");
    }
  }

  private static boolean flag(Map<String, String> settings, String key) {
    String value = settings.remove(key);
    if (value != null && !value.equals("true") && !value.equals("false")) {
      throw new IllegalArgumentException(key + ": found '" + value + "', expected true or false");
    }
    return "true".equals(value);
  }

  /// Returns the constant of that name.
  ///
  /// @param missing what is meant where there is no name; tells the type
  private static <E extends Enum<E>> E constant(String key, @Nullable String value, E missing) {
    if (value == null) {
      return missing;
    }
    E[] all = missing.getDeclaringClass().getEnumConstants();
    for (E each : all) {
      if (name(each).equals(value)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        key
            + ": found '"
            + value
            + "', expected "
            + Stream.of(all).map(DropoutText::name).collect(Collectors.joining(", ")));
  }
}
