/// JMH benchmarks of native calls and memory, and the worker of the whole-step comparisons.
@NullMarked
package dev.gatun.bench;

import org.jspecify.annotations.NullMarked;
