/// The work of Gatun's benchmarks, done by other libraries for the JVM.
@NullMarked
package dev.gatun.bench.peers;

import org.jspecify.annotations.NullMarked;
