package dev.gatun.templates;

/// What a name, key or index stands for that is not there: prints as nothing, is empty and false,
/// and fails in anything else.
///
/// @param name for messages
record Undefined(String name) {
  TemplateException failure() {
    return new TemplateException("found " + name + " undefined, expected a value");
  }
}
