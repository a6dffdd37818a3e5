package dev.gatun.runtime.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gatun.runtime.LeakCheck;
import dev.gatun.runtime.MalformedFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Each row breaks one rule of the format, and only that.
@ExtendWith(LeakCheck.class)
class MalformedSafetensorsTest {
  private static final String GOOD = "\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]";

  @TempDir Path folder;

  record Row(String title, ByteBuffer file, String place, String found, String expected) {
    @Override
    public String toString() {
      return title;
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void isRefusedInOneLine(Row row) throws IOException {
    Path file = folder.resolve("bad.safetensors");
    write(file, row.file());
    try (Arena arena = Arena.ofConfined()) {
      MalformedFileException e =
          catchThrowableOfType(
              MalformedFileException.class, () -> SafetensorsFile.open(file, arena));
      assertThat(e).isNotNull();
      assertThat(e.file()).isEqualTo(file.toString());
      assertThat(e.place()).isEqualTo(row.place());
      assertThat(e.found()).isEqualTo(row.found());
      assertThat(e.expected()).isEqualTo(row.expected());
      assertThat(e)
          .hasMessage(
              file + ": " + e.place() + ": found " + e.found() + ", expected " + e.expected());
      assertThat(e.getMessage()).doesNotContain("\n");
    }
  }

  static Stream<Row> rows() {
    return Stream.of(
        new Row("empty file", ByteBuffer.allocate(0), "file", "0 bytes", "at least 8 bytes"),
        new Row("seven bytes", ByteBuffer.allocate(7), "file", "7 bytes", "at least 8 bytes"),
        new Row(
            "header length with the top bit set",
            concat(prefix(-1), "{}"),
            "header length",
            "18446744073709551615 bytes",
            "at most 100000000 bytes"),
        new Row(
            "header length over the limit",
            concat(prefix(100_000_001), "{}"),
            "header length",
            "100000001 bytes",
            "at most 100000000 bytes"),
        new Row(
            "header length that lies",
            concat(prefix(99_999_999), "{}"),
            "header length",
            "99999999 bytes",
            "at most the 2 bytes that follow"),
        new Row("empty header", file("", 0), "header", "0 bytes", "a JSON object"),
        new Row("header is an array", file("[]", 0), "header byte 0", "byte 0x5b", "'{'"),
        new Row("leading space", file(" {}", 0), "header byte 0", "byte 0x20", "'{'"),
        new Row(
            "newline after the object",
            file("{}  \n", 0),
            "header byte 4",
            "byte 0x0a",
            "'}', then only spaces"),
        new Row(
            "zeros after the object",
            file("{} \0", 0),
            "header byte 3",
            "byte 0x00",
            "'}', then only spaces"),
        new Row(
            "two objects", file("{}{}", 0), "header", "more JSON after the object", "only spaces"),
        new Row(
            "not UTF-8",
            file("{\"\u00e9\":{}}".getBytes(StandardCharsets.ISO_8859_1), 0),
            "header byte 2",
            "a byte that is not UTF-8",
            "UTF-8 text"),
        new Row(
            "overlong UTF-8",
            file("{\"\u00c0\u0080\":{}}".getBytes(StandardCharsets.ISO_8859_1), 0),
            "header byte 2",
            "a byte that is not UTF-8",
            "UTF-8 text"),
        new Row(
            "tensor name twice",
            file("{\"a\":{" + GOOD + "},\"a\":{" + GOOD + "}}", 4),
            "header",
            "the key 'a' twice",
            "each key once"),
        new Row(
            "dtype twice",
            file("{\"a\":{" + GOOD + ",\"dtype\":\"U8\"}}", 4),
            "tensor 'a'",
            "the key 'dtype' twice",
            "each key once"),
        new Row(
            "metadata key twice",
            file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0),
            "__metadata__",
            "the key 'k' twice",
            "each key once"),
        new Row(
            "metadata twice",
            file("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
            "header",
            "the key '__metadata__' twice",
            "each key once"),
        new Row(
            "metadata value is a number",
            file("{\"__metadata__\":{\"k\":1}}", 0),
            "__metadata__ 'k'",
            "a number",
            "a string"),
        new Row(
            "metadata is a list",
            file("{\"__metadata__\":[]}", 0),
            "__metadata__",
            "an array",
            "an object"),
        new Row(
            "deep nesting",
            file("{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}", 0),
            "tensor 'a'",
            "an array",
            "an object"),
        new Row("tensor is null", file("{\"a\":null}", 0), "tensor 'a'", "null", "an object"),
        new Row(
            "unknown key",
            file("{\"a\":{" + GOOD + ",\"strides\":[1]}}", 4),
            "tensor 'a'",
            "the key 'strides'",
            "only dtype, shape, data_offsets"),
        new Row(
            "no shape",
            file("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4),
            "tensor 'a'",
            "no key 'shape'",
            "dtype, shape, data_offsets"),
        new Row(
            "unsupported dtype",
            file(tensor("F8_E4M3", "[4]", "[0,4]"), 4),
            "tensor 'a' dtype",
            "unsupported dtype 'F8_E4M3'",
            "one of F32, F64, BF16, F16, I64, I32, I16, I8, U8, BOOL"),
        new Row(
            "shape in exponent form",
            file(tensor("U8", "[4e0]", "[0,4]"), 4),
            "tensor 'a' shape",
            "the number 4e0",
            "a plain integer from 0 to 2^63 - 1"),
        new Row(
            "shape with a fraction",
            file(tensor("U8", "[4.0]", "[0,4]"), 4),
            "tensor 'a' shape",
            "the number 4.0",
            "a plain integer from 0 to 2^63 - 1"),
        new Row(
            "minus zero",
            file(tensor("U8", "[-0]", "[0,0]"), 0),
            "tensor 'a' shape",
            "the number -0",
            "a plain integer from 0 to 2^63 - 1"),
        new Row(
            "negative size",
            file(tensor("U8", "[-4]", "[0,4]"), 4),
            "tensor 'a' shape",
            "the number -4",
            "a plain integer from 0 to 2^63 - 1"),
        new Row(
            "size of 2^63",
            file(tensor("U8", "[9223372036854775808]", "[0,4]"), 4),
            "tensor 'a' shape",
            "the number 9223372036854775808",
            "a plain integer from 0 to 2^63 - 1"),
        new Row(
            "size is a string",
            file(tensor("U8", "[\"4\"]", "[0,4]"), 4),
            "tensor 'a' shape",
            "a string",
            "an array of numbers"),
        new Row(
            "product overflows",
            file(tensor("U8", "[4294967296,4294967296]", "[0,0]"), 0),
            "tensor 'a' shape",
            "[4294967296, 4294967296] of U8",
            "a size below 2^63 bytes"),
        new Row(
            "product times bytes overflows",
            file(tensor("F64", "[2305843009213693952]", "[0,0]"), 0),
            "tensor 'a' shape",
            "[2305843009213693952] of F64",
            "a size below 2^63 bytes"),
        new Row(
            "rank 65",
            file(tensor("U8", "[" + "1,".repeat(64) + "1]", "[0,1]"), 1),
            "tensor 'a' shape",
            "more than 64 numbers",
            "at most 64"),
        new Row(
            "one offset",
            file(tensor("U8", "[4]", "[4]"), 4),
            "tensor 'a' data_offsets",
            "1 numbers",
            "2, begin and end"),
        new Row(
            "three offsets",
            file(tensor("U8", "[4]", "[0,4,8]"), 4),
            "tensor 'a' data_offsets",
            "more than 2 numbers",
            "at most 2"),
        new Row(
            "begin after end",
            file(tensor("U8", "[4]", "[4,0]"), 4),
            "tensor 'a' data_offsets",
            "begin 4 after end 0",
            "begin <= end"),
        new Row(
            "size does not fit the shape",
            file(tensor("F32", "[2]", "[0,4]"), 4),
            "tensor 'a' data_offsets",
            "4 bytes",
            "8 bytes for F32 [2]"),
        new Row(
            "hole at the start",
            file(tensor("U8", "[4]", "[1,5]"), 5),
            "tensor 'a' data_offsets",
            "a hole, begin 1",
            "begin 0 after the data part"),
        new Row(
            "hole in the middle",
            file(tensors("[0,4]", "[5,9]"), 9),
            "tensor 'b' data_offsets",
            "a hole, begin 5",
            "begin 4 after tensor 'a'"),
        new Row(
            "overlap",
            file(tensors("[0,4]", "[2,6]"), 6),
            "tensor 'b' data_offsets",
            "an overlap, begin 2",
            "begin 4 after tensor 'a'"),
        new Row(
            "shared data",
            file(tensors("[0,4]", "[0,4]"), 4),
            "tensor 'b' data_offsets",
            "an overlap, begin 0",
            "begin 4 after tensor 'a'"),
        new Row(
            "truncated",
            file(tensor("U8", "[4]", "[0,4]"), 3),
            "data",
            "3 bytes",
            "4 bytes, where the last tensor ends"),
        new Row(
            "trailing bytes",
            file(tensor("U8", "[4]", "[0,4]"), 5),
            "data",
            "5 bytes",
            "4 bytes, where the last tensor ends"),
        new Row(
            "data without tensors",
            file("{}", 1),
            "data",
            "1 bytes",
            "0 bytes, where the last tensor ends"),
        new Row(
            "a boolean of 2",
            concat(file(tensor("BOOL", "[9]", "[0,9]"), 8), "\u0002"),
            "tensor 'a' element 8",
            "byte 0x02",
            "0 or 1"),
        new Row(
            "name with a line break",
            file("{\"a\\nb\":{}}", 0),
            "tensor 'a\\u000ab'",
            "no key 'dtype'",
            "dtype, shape, data_offsets"),
        new Row(
            "name of 2000 characters",
            file("{\"" + "n".repeat(2000) + "\":{}}", 0),
            "tensor '" + "n".repeat(40) + "...'",
            "a name of 2000 characters",
            "at most 1024"),
        new Row(
            "a million overlapping tensors",
            file(manyOverlapping(), 4),
            "header",
            "more than 262144 tensors",
            "at most 262144"));
  }

  @ParameterizedTest
  @MethodSource("notJson")
  void isNotJson(String header) throws IOException {
    Path file = folder.resolve("bad.safetensors");
    write(file, file(header, 0));
    try (Arena arena = Arena.ofConfined()) {
      MalformedFileException e =
          catchThrowableOfType(
              MalformedFileException.class, () -> SafetensorsFile.open(file, arena));
      assertThat(e).isNotNull();
      assertThat(e.place()).startsWith("header");
      assertThat(e.expected()).isEqualTo("valid JSON");
      assertThat(e.getMessage()).doesNotContain("\n");
    }
  }

  static Stream<String> notJson() {
    return Stream.of(
        "{\"a\"}",
        "{\"a\":}",
        "{,}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[NaN],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[04],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4,],\"data_offsets\":[0,4]}}",
        "{'a':{}}",
        "{/* no */}",
        "{\0\"\0a\0\"\0:\0}",
        "{\"a\":{\"shape\":[" + "1".repeat(2000) + "]}}",
        "{\"\\ud800\":{" + GOOD + "}}",
        "{{}");
  }

  private static String manyOverlapping() {
    StringBuilder json = new StringBuilder("{");
    for (int i = 0; i < 1_000_000; i++) {
      json.append("\"").append(i).append("\":{").append(GOOD).append("},");
    }
    json.setCharAt(json.length() - 1, '}');
    return json.toString();
  }

  private static String tensor(String dtype, String shape, String offsets) {
    return "{\"a\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
        .formatted(dtype, shape, offsets);
  }

  private static String tensors(String first, String second) {
    return "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":"
        + first
        + "},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":"
        + second
        + "}}";
  }

  private static ByteBuffer file(String header, int dataBytes) {
    return file(header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  private static ByteBuffer file(byte[] header, int dataBytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(SafetensorsRoundTripTest.lengthPrefix(header.length));
    out.writeBytes(header);
    out.writeBytes(new byte[dataBytes]);
    return ByteBuffer.wrap(out.toByteArray());
  }

  private static ByteBuffer concat(ByteBuffer head, String tail) {
    byte[] end = tail.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(head.remaining() + end.length).put(head).put(end).flip();
  }

  private static ByteBuffer prefix(long length) {
    return ByteBuffer.wrap(SafetensorsRoundTripTest.lengthPrefix(length));
  }

  private static void write(Path file, ByteBuffer bytes) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(bytes.duplicate());
    }
  }
}
