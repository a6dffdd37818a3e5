/// Reads and writes safetensors files and sharded directories of them, without copying weights.
@NullMarked
package dev.gatun.runtime.safetensors;

import org.jspecify.annotations.NullMarked;
