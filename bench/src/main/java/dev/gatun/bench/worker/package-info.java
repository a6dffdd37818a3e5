/// Gatun's side of `bench/compare.py`: a process that makes one unit of work at a time, as it is
/// told.
@NullMarked
package dev.gatun.bench.worker;

import org.jspecify.annotations.NullMarked;
