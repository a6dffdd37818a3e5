/// Fused loops over memory, written with the JDK's Vector API; not exported.
///
/// Each replaces several passes of libtorch's operations by one. They are used where the module
/// `jdk.incubator.vector` is there (`--add-modules jdk.incubator.vector`), see
/// [dev.gatun.runtime.kernel.Kernels]; every operation has its way through libtorch too.
///
/// A loop computes in f32, over arrays of a block or a row that stay in the processor's first
/// cache; only [dev.gatun.runtime.kernel.Block] knows how elements lie in memory. Keep each vector
/// loop under about 60 vector operations: beyond that HotSpot's compiler stops inlining them, and
/// each becomes an object.
@NullMarked
package dev.gatun.runtime.kernel;

import org.jspecify.annotations.NullMarked;
