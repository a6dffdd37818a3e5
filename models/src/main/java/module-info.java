/// Language models, adapters, data and training.
module dev.gatun.models {
  requires static transitive org.jspecify;
  requires transitive dev.gatun.runtime;
  requires tools.jackson.databind;

  exports dev.gatun.models.data;
}
