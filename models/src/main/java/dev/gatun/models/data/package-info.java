/// Training data: rows and texts as tokens with labels, and the ragged batches made of them.
@NullMarked
package dev.gatun.models.data;

import org.jspecify.annotations.NullMarked;
