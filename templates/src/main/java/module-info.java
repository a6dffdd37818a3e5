/// Chat templates of Hugging Face model directories.
module dev.gatun.templates {
  requires static transitive org.jspecify;
  requires transitive dev.gatun.models;
  requires tools.jackson.databind;

  exports dev.gatun.templates;
}
