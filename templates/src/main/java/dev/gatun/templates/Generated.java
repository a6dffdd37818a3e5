package dev.gatun.templates;

import java.util.ArrayList;
import java.util.List;

/// What `map`, `select` and the like make, as Python's generators: true even when empty, without a
/// length, and read once.
final class Generated {
  private List<Object> rest;

  Generated(List<Object> items) {
    this.rest = items;
  }

  List<Object> take() {
    List<Object> taken = rest;
    rest = new ArrayList<>();
    return taken;
  }
}
