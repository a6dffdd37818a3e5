package dev.gatun.cli.study;

import dev.gatun.models.data.Dataset;
import dev.gatun.models.task.TaskSet;
import org.jspecify.annotations.Nullable;

/// What the runs of a study learn and are measured on.
///
/// @param train what is trained on
/// @param heldOut what is evaluated on
/// @param measure the task's file that the held-out rows are from; null for language modelling
public record Rows(Dataset train, Dataset heldOut, @Nullable TaskSet measure) {}
