/// Inference for services: many requests and many adapters in one batch over one model.
///
/// [Engine] writes texts, [TextEncoder] embeds and [TextClassifier] classifies them. Each owns a
/// thread that makes all its native calls; everything else here may be called from any thread,
/// virtual ones too.
@NullMarked
package dev.gatun.models.engine;

import org.jspecify.annotations.NullMarked;
