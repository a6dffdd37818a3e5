/// Checks that the generated bindings are fresh, complete and link.
@org.jspecify.annotations.NullMarked
package dev.gatun.bindings;
