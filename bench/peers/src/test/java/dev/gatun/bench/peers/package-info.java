/// The other libraries' benchmarks run once each.
@NullMarked
package dev.gatun.bench.peers;

import org.jspecify.annotations.NullMarked;
