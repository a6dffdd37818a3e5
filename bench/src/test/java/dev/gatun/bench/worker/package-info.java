/// The workers of the comparisons.
@NullMarked
package dev.gatun.bench.worker;

import org.jspecify.annotations.NullMarked;
