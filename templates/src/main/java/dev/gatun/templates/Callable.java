package dev.gatun.templates;

/// A function, method or macro.
interface Callable {
  Object call(Arguments arguments);
}
