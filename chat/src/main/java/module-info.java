/// Model directories opened for conversations: model, tokenizer, chat template and engine.
module dev.gatun.chat {
  requires static transitive com.google.errorprone.annotations;
  requires static transitive org.jspecify;
  requires transitive dev.gatun.models;
  requires transitive dev.gatun.templates;
  requires dev.gatun.tokenizers;

  exports dev.gatun.chat;
}
