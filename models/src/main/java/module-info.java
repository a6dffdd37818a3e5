/// Language models, adapters, dropout methods, data and training on the Gatun runtime.
module dev.gatun.models {
  requires transitive dev.gatun.runtime;
  requires tools.jackson.databind;
  requires java.xml;
  requires jdk.jfr;
  requires static transitive com.google.errorprone.annotations;
  requires static transitive org.jspecify;

  uses dev.gatun.models.data.RowFormat;

  exports dev.gatun.models.baseline;
  exports dev.gatun.models.constrain;
  exports dev.gatun.models.data;
  exports dev.gatun.models.dropout;
  exports dev.gatun.models.engine;
  exports dev.gatun.models.generate;
  exports dev.gatun.models.hub;
  exports dev.gatun.models.lora;
  exports dev.gatun.models.metrics;
  exports dev.gatun.models.nn;
  exports dev.gatun.models.peft;
  exports dev.gatun.models.task;
  exports dev.gatun.models.train;
  exports dev.gatun.models.zoo;
}
