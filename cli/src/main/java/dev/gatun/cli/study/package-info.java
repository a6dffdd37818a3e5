/// `gatun study`: methods, seeds and statistics over one model and data set.
@NullMarked
package dev.gatun.cli.study;

import org.jspecify.annotations.NullMarked;
