/// Off-heap tensors on libtorch: scopes that own them, and a tape for gradients.
///
/// Dimension letters in all documentation: B batch, N tokens of a ragged batch, T query length, S
/// key length, H heads, D head size, C width, V vocabulary, R rank.
@NullMarked
package dev.gatun.runtime;

import org.jspecify.annotations.NullMarked;
