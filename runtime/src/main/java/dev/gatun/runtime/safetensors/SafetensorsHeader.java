package dev.gatun.runtime.safetensors;

import dev.gatun.runtime.DType;
import dev.gatun.runtime.MalformedFileException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.util.ByteBufferBackedInputStream;

/// Parses the JSON header of a safetensors file and trusts nothing in it.
final class SafetensorsHeader {
  static final int MAX_BYTES = 100_000_000;
  private static final int MAX_TENSORS = 1 << 18;
  private static final int MAX_RANK = 64;
  private static final int MAX_NAME = 1024;
  private static final String METADATA = "__metadata__";
  private static final String DTYPES =
      Arrays.stream(DType.values()).map(DType::safetensorsName).collect(Collectors.joining(", "));

  // Names come from strangers: keep them out of tables that outlive the parser.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .build();

  /// One tensor; offsets are bytes from the start of the data part.
  record Extent(String name, DType dtype, List<Long> shape, long begin, long end) {}

  private final Path file;
  private final MemorySegment json;
  private final Map<String, String> metadata = new TreeMap<>();
  private final List<Extent> extents = new ArrayList<>();

  private SafetensorsHeader(Path file, MemorySegment json) {
    this.file = file;
    this.json = json;
  }

  /// Parses a header whose length was checked.
  static SafetensorsHeader parse(Path file, MemorySegment json, long dataBytes)
      throws MalformedFileException {
    SafetensorsHeader header = new SafetensorsHeader(file, json);
    header.checkEnds();
    header.checkUtf8();
    header.parseJson();
    header.checkExtents(dataBytes);
    return header;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  /// The tensors in the order of their data.
  List<Extent> extents() {
    return extents;
  }

  private void checkEnds() throws MalformedFileException {
    long last = json.byteSize() - 1;
    if (last < 0) {
      throw malformed("header", "0 bytes", "a JSON object");
    }
    byte first = json.get(ValueLayout.JAVA_BYTE, 0);
    if (first != '{') {
      throw malformed("header byte 0", "byte 0x%02x".formatted(first), "'{'");
    }
    while (json.get(ValueLayout.JAVA_BYTE, last) == ' ') {
      last--;
    }
    byte end = json.get(ValueLayout.JAVA_BYTE, last);
    if (end != '}') {
      throw malformed("header byte " + last, "byte 0x%02x".formatted(end), "'}', then only spaces");
    }
  }

  private void checkUtf8() throws MalformedFileException {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer bytes = json.asByteBuffer();
    CharBuffer chars = CharBuffer.allocate(8192);
    CoderResult result;
    do {
      result = decoder.decode(bytes, chars.clear(), true);
    } while (result.isOverflow());
    if (result.isError()) {
      throw malformed("header byte " + bytes.position(), "a byte that is not UTF-8", "UTF-8 text");
    }
  }

  private void parseJson() throws MalformedFileException {
    // Through a reader, for Jackson guesses UTF-16 and UTF-32 from bytes.
    InputStreamReader reader =
        new InputStreamReader(
            new ByteBufferBackedInputStream(json.asByteBuffer()), StandardCharsets.UTF_8);
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), reader)) {
      parser.nextToken();
      Set<String> names = new HashSet<>();
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        if (!names.add(name)) {
          throw malformed("header", "the key '" + name + "' twice", "each key once");
        }
        if (name.equals(METADATA)) {
          parseMetadata(parser);
        } else {
          checkName(name);
          if (extents.size() == MAX_TENSORS) {
            throw malformed(
                "header", "more than " + MAX_TENSORS + " tensors", "at most " + MAX_TENSORS);
          }
          extents.add(parseTensor(parser, name));
        }
      }
      if (parser.nextToken() != null) {
        throw malformed("header", "more JSON after the object", "only spaces");
      }
    } catch (JacksonException e) {
      TokenStreamLocation location = e.getLocation();
      MalformedFileException malformed =
          malformed(
              location == null ? "header" : "header character " + location.getCharOffset(),
              e.getOriginalMessage(),
              "valid JSON");
      malformed.initCause(e);
      throw malformed;
    }
  }

  private void checkName(String name) throws MalformedFileException {
    if (name.length() > MAX_NAME) {
      throw malformed(
          "tensor '" + name.substring(0, 40) + "...'",
          "a name of " + name.length() + " characters",
          "at most " + MAX_NAME);
    }
  }

  private void parseMetadata(JsonParser parser) throws MalformedFileException {
    expect(parser.nextToken(), JsonToken.START_OBJECT, METADATA);
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      String place = METADATA + " '" + key + "'";
      expect(parser.nextToken(), JsonToken.VALUE_STRING, place);
      if (metadata.putIfAbsent(key, parser.getString()) != null) {
        throw malformed(METADATA, "the key '" + key + "' twice", "each key once");
      }
    }
  }

  private Extent parseTensor(JsonParser parser, String name) throws MalformedFileException {
    String place = "tensor '" + name + "'";
    expect(parser.nextToken(), JsonToken.START_OBJECT, place);
    String dtypeName = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      String keyPlace = place + " " + key;
      boolean twice;
      switch (key) {
        case "dtype" -> {
          twice = dtypeName != null;
          expect(parser.nextToken(), JsonToken.VALUE_STRING, keyPlace);
          dtypeName = parser.getString();
        }
        case "shape" -> {
          twice = shape != null;
          shape = parseIntegers(parser, keyPlace, MAX_RANK);
        }
        case "data_offsets" -> {
          twice = offsets != null;
          offsets = parseIntegers(parser, keyPlace, 2);
        }
        default ->
            throw malformed(place, "the key '" + key + "'", "only dtype, shape, data_offsets");
      }
      if (twice) {
        throw malformed(place, "the key '" + key + "' twice", "each key once");
      }
    }
    return extent(
        name,
        dtype(required(dtypeName, place, "dtype"), place),
        required(shape, place, "shape"),
        required(offsets, place, "data_offsets"));
  }

  private Extent extent(String name, DType dtype, List<Long> shape, List<Long> offsets)
      throws MalformedFileException {
    String place = "tensor '" + name + "'";
    if (offsets.size() != 2) {
      throw malformed(place + " data_offsets", offsets.size() + " numbers", "2, begin and end");
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (begin > end) {
      throw malformed(
          place + " data_offsets", "begin " + begin + " after end " + end, "begin <= end");
    }
    long bytes;
    try {
      bytes = TensorEntry.byteSize(dtype, shape);
    } catch (ArithmeticException e) {
      throw malformed(place + " shape", shape + " of " + dtype, "a size below 2^63 bytes");
    }
    if (end - begin != bytes) {
      throw malformed(
          place + " data_offsets",
          (end - begin) + " bytes",
          bytes + " bytes for " + dtype + " " + shape);
    }
    return new Extent(name, dtype, shape, begin, end);
  }

  private DType dtype(String name, String place) throws MalformedFileException {
    DType dtype = DType.fromSafetensors(name);
    if (dtype == null) {
      throw malformed(place + " dtype", "unsupported dtype '" + name + "'", "one of " + DTYPES);
    }
    return dtype;
  }

  private <T> T required(@Nullable T value, String place, String key)
      throws MalformedFileException {
    if (value == null) {
      throw malformed(place, "no key '" + key + "'", "dtype, shape, data_offsets");
    }
    return value;
  }

  private List<Long> parseIntegers(JsonParser parser, String place, int max)
      throws MalformedFileException {
    expect(parser.nextToken(), JsonToken.START_ARRAY, place);
    List<Long> numbers = new ArrayList<>(4);
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      if (t != JsonToken.VALUE_NUMBER_INT && t != JsonToken.VALUE_NUMBER_FLOAT) {
        throw malformed(place, kind(t), "an array of numbers");
      }
      if (numbers.size() == max) {
        throw malformed(place, "more than " + max + " numbers", "at most " + max);
      }
      numbers.add(integer(parser.getString(), place));
    }
    return List.copyOf(numbers);
  }

  private long integer(String text, String place) throws MalformedFileException {
    boolean digits = text.chars().allMatch(c -> c >= '0' && c <= '9');
    if (digits && text.length() <= 19) {
      long value = Long.parseUnsignedLong(text);
      if (value >= 0) {
        return value;
      }
    }
    throw malformed(place, "the number " + text, "a plain integer from 0 to 2^63 - 1");
  }

  private void expect(@Nullable JsonToken found, JsonToken expected, String place)
      throws MalformedFileException {
    if (found != expected) {
      throw malformed(place, kind(found), kind(expected));
    }
  }

  private static String kind(@Nullable JsonToken token) {
    return switch (token) {
      case null -> "nothing";
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NULL -> "null";
      default -> token.toString();
    };
  }

  private void checkExtents(long dataBytes) throws MalformedFileException {
    // Empty tensors come first at a tie.
    extents.sort(Comparator.comparingLong(Extent::begin).thenComparingLong(Extent::end));
    String before = "the data part";
    long position = 0;
    for (Extent extent : extents) {
      if (extent.begin() != position) {
        throw malformed(
            "tensor '" + extent.name() + "' data_offsets",
            (extent.begin() < position ? "an overlap" : "a hole") + ", begin " + extent.begin(),
            "begin " + position + " after " + before);
      }
      position = extent.end();
      before = "tensor '" + extent.name() + "'";
    }
    if (position != dataBytes) {
      throw malformed(
          "data", dataBytes + " bytes", position + " bytes, where the last tensor ends");
    }
  }

  private MalformedFileException malformed(String place, String found, String expected) {
    return new MalformedFileException(file, place, found, expected);
  }
}
