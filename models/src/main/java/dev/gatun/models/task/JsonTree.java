package dev.gatun.models.task;

import dev.gatun.runtime.MalformedFileException;
import dev.gatun.runtime.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/// A value in a JSON file that knows its place, for messages.
record JsonTree(Path file, String place, JsonNode value) {
  boolean has(String key) {
    return value.hasNonNull(key);
  }

  JsonTree get(String key) throws MalformedFileException {
    if (!value.isObject()) {
      throw wrong("an object");
    }
    JsonNode child = value.get(key);
    return new JsonTree(file, in(key), child == null ? MissingNode.getInstance() : child);
  }

  /// Returns the only value of an object.
  JsonTree only() throws MalformedFileException {
    if (!value.isObject() || value.size() != 1) {
      throw wrong("an object with one key");
    }
    return get(value.propertyNames().iterator().next());
  }

  List<JsonTree> items() throws MalformedFileException {
    if (!value.isArray()) {
      throw wrong("an array");
    }
    List<JsonTree> items = new ArrayList<>(value.size());
    for (JsonNode item : value) {
      items.add(new JsonTree(file, place + "[" + items.size() + "]", item));
    }
    return items;
  }

  String text() throws MalformedFileException {
    if (!value.isString()) {
      throw wrong("a string");
    }
    return value.stringValue();
  }

  int index() throws MalformedFileException {
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
      throw wrong("a whole number from 0");
    }
    return value.intValue();
  }

  boolean flag() throws MalformedFileException {
    if (!value.isBoolean()) {
      throw wrong("true or false");
    }
    return value.booleanValue();
  }

  MalformedFileException wrong(String expected) {
    return new MalformedFileException(file, place, StrictJson.kind(value), expected);
  }

  private String in(String key) {
    return place.equals("file") ? key : place + "." + key;
  }
}
