/// Training loops, checkpoints and what they report.
@NullMarked
package dev.gatun.models.train;

import org.jspecify.annotations.NullMarked;
