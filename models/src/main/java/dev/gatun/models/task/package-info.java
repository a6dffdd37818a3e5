/// The data of standard tasks, as their files are: what there is to classify, to write, to find in
/// a text or to choose from.
@NullMarked
package dev.gatun.models.task;

import org.jspecify.annotations.NullMarked;
