/// Optimizers and learning-rate schedules.
@NullMarked
package dev.gatun.runtime.optim;

import org.jspecify.annotations.NullMarked;
