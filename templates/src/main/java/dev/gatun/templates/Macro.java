package dev.gatun.templates;

/// A macro by its name.
///
/// @param name as it was defined
/// @param body what a call does
record Macro(String name, Callable body) implements Callable {
  @Override
  public Object call(Arguments arguments) {
    return body.call(arguments);
  }
}
