/// A local model behind OpenAI's HTTP interface.
module dev.gatun.server {
  requires static transitive com.google.errorprone.annotations;
  requires static transitive org.jspecify;
  requires transitive dev.gatun.chat;
  requires io.helidon.common.buffers;
  requires io.helidon.common.socket;
  requires io.helidon.http;
  requires io.helidon.webserver;
  requires static java.net.http; // the tests' client
  requires tools.jackson.databind;

  exports dev.gatun.server;
}
