/// The dropout methods of the papers as data.
@NullMarked
package dev.gatun.models.dropout;

import org.jspecify.annotations.NullMarked;
