package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.node.ObjectNode;

/// A row of a table, or an object of a JSON file: values by the names of their columns.
///
/// @param file the file
/// @param place the row's line or number
/// @param header where the columns are named
/// @param object the values
record TableRow(Path file, String place, String header, ObjectNode object) {
  /// Receives rows.
  @FunctionalInterface
  interface Sink {
    void accept(TableRow row) throws MalformedFileException;
  }

  Collection<String> names() {
    return object.propertyNames();
  }

  /// Returns the text of a column, empty or not.
  String text(String column) throws MalformedFileException {
    JsonNode value = object.get(column);
    if (value == null || !value.isString()) {
      throw wrong(column, found(column), "a text");
    }
    return value.stringValue();
  }

  /// Returns a column that may hold a tree.
  JsonTree tree(String column) {
    JsonNode value = object.get(column);
    return new JsonTree(
        file, place + ", " + column, value == null ? MissingNode.getInstance() : value);
  }

  /// Returns a text or a number as it is written, or null.
  @Nullable String scalar(String column) {
    JsonNode value = object.get(column);
    return value != null && (value.isString() || value.isNumber()) ? value.asString() : null;
  }

  /// Returns what is in a column, for messages.
  String found(String column) {
    JsonNode value = object.get(column);
    if (value == null) {
      return "nothing";
    }
    return value.isString() ? '"' + value.stringValue() + '"' : StrictJson.kind(value);
  }

  /// Returns the first of some sets of columns that this row has.
  ///
  /// @throws MalformedFileException if it has none of them
  List<String> columns(List<List<String>> sets) throws MalformedFileException {
    for (List<String> set : sets) {
      if (names().containsAll(set)) {
        return set;
      }
    }
    throw new MalformedFileException(
        file,
        header,
        "the columns " + String.join(", ", names()),
        String.join("; or ", sets.stream().map(set -> String.join(", ", set)).toList()));
  }

  MalformedFileException wrong(String column, String found, String expected) {
    return new MalformedFileException(file, place + ", " + column, found, expected);
  }
}
