package dev.gatun.templates;

import java.util.LinkedHashMap;
import java.util.Map;

/// Jinja's `namespace`: the one value whose attributes a template may set.
///
/// @param attributes by their names
record Namespace(Map<Object, Object> attributes) {
  Namespace {
    attributes = new LinkedHashMap<>(attributes);
  }
}
