package dev.gatun.cli;

import java.util.Map;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/// The option `--json`: one object as the last line of standard output. Everything else a command
/// says goes to standard error, or to standard output where it is the result that was asked for.
final class JsonOutput {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @Option(names = "--json", description = "Print one JSON object as the last line.")
  private boolean json;

  boolean isOn() {
    return json;
  }

  static String text(Map<String, ?> fields) {
    return JSON.writeValueAsString(fields);
  }

  void print(Map<String, ?> fields) {
    if (json) {
      System.out.println(text(fields));
    }
  }
}
