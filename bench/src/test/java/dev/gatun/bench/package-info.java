/// The benchmarks run once each.
@NullMarked
package dev.gatun.bench;

import org.jspecify.annotations.NullMarked;
