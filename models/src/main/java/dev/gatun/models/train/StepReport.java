package dev.gatun.models.train;

/// What one optimizer step did.
///
/// @param step number of the step, from 1
/// @param steps steps of the run
/// @param epoch pass over the data, from 0
/// @param loss mean over the step's labels before the update: cross-entropy in nats, or the task's
/// @param divergence mean half bidirectional KL divergence over them; 0 with one branch
/// @param learningRate rate of the update
/// @param gradNorm norm of the gradients before clipping
/// @param tokens tokens that went through the model, without padding
/// @param seconds duration
/// @param nativeBytes bytes of live tensors after the step
public record StepReport(
    int step,
    int steps,
    int epoch,
    double loss,
    double divergence,
    double learningRate,
    double gradNorm,
    long tokens,
    double seconds,
    long nativeBytes) {}
