@NullMarked
package dev.gatun.parquet;

import org.jspecify.annotations.NullMarked;
