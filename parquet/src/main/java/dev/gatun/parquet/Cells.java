package dev.gatun.parquet;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Blob;
import java.sql.SQLException;
import java.util.Map;
import org.duckdb.DuckDBStruct;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Cells of DuckDB as JSON.
///
/// Lists become arrays; structures and maps become objects. Bytes become text where they are UTF-8,
/// since old writers do not mark text as such. Dates, times and the like become text as Java writes
/// them.
final class Cells {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private Cells() {}

  static JsonNode node(@Nullable Object cell) throws SQLException {
    return switch (cell) {
      case null -> JSON.nullNode();
      case String text -> JSON.stringNode(text);
      case Boolean flag -> JSON.booleanNode(flag);
      case Byte number -> JSON.numberNode(number.intValue());
      case Short number -> JSON.numberNode(number.intValue());
      case Integer number -> JSON.numberNode(number);
      case Long number -> JSON.numberNode(number);
      case Float number -> JSON.numberNode(number);
      case Double number -> JSON.numberNode(number);
      case BigInteger number -> JSON.numberNode(number);
      case BigDecimal number -> JSON.numberNode(number);
      case Array list -> array((Object[]) list.getArray());
      case DuckDBStruct structure -> object(structure.getMap());
      case Map<?, ?> map -> object(map);
      case Blob bytes -> text(bytes.getBytes(1, Math.toIntExact(bytes.length())));
      default -> JSON.stringNode(cell.toString());
    };
  }

  private static JsonNode array(@Nullable Object[] values) throws SQLException {
    ArrayNode array = JSON.arrayNode(values.length);
    for (Object value : values) {
      array.add(node(value));
    }
    return array;
  }

  private static JsonNode object(Map<?, ?> values) throws SQLException {
    ObjectNode object = JSON.objectNode();
    for (Map.Entry<?, ?> each : values.entrySet()) {
      object.set(String.valueOf(each.getKey()), node(each.getValue()));
    }
    return object;
  }

  private static JsonNode text(byte[] bytes) {
    try {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      return JSON.stringNode(StandardCharsets.UTF_8.newDecoder().decode(buffer).toString());
    } catch (CharacterCodingException e) {
      return JSON.binaryNode(bytes);
    }
  }
}
