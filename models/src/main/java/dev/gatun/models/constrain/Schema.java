package dev.gatun.models.constrain;

import dev.gatun.runtime.StrictJson;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// A schema, or a part of one, and its place as a JSON pointer.
record Schema(String place, JsonNode node) {
  Schema in(String keyword) {
    return new Schema(place + "/" + escaped(keyword), node.get(keyword));
  }

  Schema at(int index) {
    return new Schema(place + "/" + index, node.get(index));
  }

  boolean has(String keyword) {
    return node.has(keyword);
  }

  /// Returns a key as it is written in a pointer.
  static String escaped(String key) {
    return key.replace("~", "~0").replace("/", "~1");
  }

  IllegalArgumentException wrong(String found, String expected) {
    return Refusal.of("schema: " + place, found, expected);
  }

  IllegalArgumentException wrong(String expected) {
    return wrong(StrictJson.kind(node), expected);
  }

  /// Returns the parts of an array.
  List<Schema> items() {
    if (!node.isArray()) {
      throw wrong("an array");
    }
    List<Schema> items = new ArrayList<>(node.size());
    for (int i = 0; i < node.size(); i++) {
      items.add(at(i));
    }
    return items;
  }

  String text() {
    if (!node.isString()) {
      throw wrong("a string");
    }
    return node.stringValue();
  }

  /// Returns a number of things.
  int count() {
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.intValue() < 0
        || node.intValue() > Scanner.MAX_COUNT) {
      throw wrong("a whole number from 0 to " + Scanner.MAX_COUNT);
    }
    return node.intValue();
  }
}
