/// The program behind `./gatun`.
module dev.gatun.cli {
  requires dev.gatun.chat;
  requires dev.gatun.models;
  requires dev.gatun.parquet;
  requires dev.gatun.server;
  requires dev.gatun.templates;
  requires dev.gatun.tokenizers;
  requires info.picocli;
  requires java.logging;
  requires tools.jackson.databind;
  requires org.apache.commons.statistics.inference;
  requires org.jline.reader;
  requires org.jline.terminal;
  requires org.snakeyaml.engine.v2;
  requires static java.xml; // the report's tests parse its pages
  requires static com.google.errorprone.annotations;
  requires static org.jspecify;

  opens dev.gatun.cli to
      info.picocli;
  opens dev.gatun.cli.study to
      tools.jackson.databind;
}
