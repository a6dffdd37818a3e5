/// Hugging Face model directories.
@NullMarked
package dev.gatun.models.hub;

import org.jspecify.annotations.NullMarked;
