/// The report of a training run: one HTML file that needs nothing else.
@NullMarked
package dev.gatun.cli.report;

import org.jspecify.annotations.NullMarked;
