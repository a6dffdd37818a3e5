/// Tokenizers of Hugging Face model directories.
@SuppressWarnings("requires-automatic") // the tokenizers library is no module of its own
module dev.gatun.tokenizers {
  requires static transitive org.jspecify;
  requires transitive dev.gatun.models;
  requires ai.djl.tokenizers;
  requires org.slf4j; // the tokenizers library's, which cannot ask for it itself
  requires tools.jackson.databind;

  exports dev.gatun.tokenizers;
}
