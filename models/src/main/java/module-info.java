/// Layers, adapters, models, data and training.
module dev.gatun.models {
  requires static transitive org.jspecify;
  requires transitive dev.gatun.runtime;

  exports dev.gatun.models.peft;
}
