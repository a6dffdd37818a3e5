/// Scores of predictions: classification, regression, calibration, SQuAD and generated text, each
/// as the implementation that papers report computes it. All functions are pure and thread-safe.
///
/// Predictions come first, then what they are compared with. A score of generated text is one
/// number for a list of hypotheses, each with one or more references.
@NullMarked
package dev.gatun.models.metrics;

import org.jspecify.annotations.NullMarked;
