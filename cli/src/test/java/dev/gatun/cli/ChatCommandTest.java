package dev.gatun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `gatun chat` with lines from a pipe. A terminal is for people to try.
class ChatCommandTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @TempDir private Path directory;

  private static Ended chat(String input, Path model, String... more) {
    InputStream in = System.in;
    try {
      System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
      List<String> arguments = new ArrayList<>(List.of("chat", "--model", model.toString()));
      arguments.addAll(List.of("--threads", "1", "--max-new-tokens", "5"));
      arguments.addAll(List.of(more));
      return Ended.gatun(arguments.toArray(String[]::new));
    } finally {
      System.setIn(in);
    }
  }

  private Path model() throws IOException {
    return TaskFixtures.model(directory, "llama");
  }

  private static Path adapter(String name) {
    return TaskFixtures.PARITY.resolve("llama/adapters").resolve(name);
  }

  @Test
  void eachLineHasItsAnswerAndNothingElseIsPrinted() throws IOException {
    Ended run = chat("the cat is good\n\nthe dog is bad\n", model());
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out().lines().filter(line -> !line.isBlank())).hasSize(2);
    assertThat(run.err().lines().filter(line -> line.contains("tokens/s"))).hasSize(2);
  }

  @Test
  void theObjectHoldsTheConversation() throws IOException {
    Path saved = directory.resolve("rows.jsonl");
    Ended run =
        chat(
            "the cat\\\nis good\n/save " + saved + "\n//name\n",
            model(),
            "--system",
            "the river",
            "--json");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out().lines()).hasSize(1);
    JsonNode json = run.json();
    JsonNode messages = json.get("messages");
    assertThat(messages.valueStream().map(m -> m.get("role").asString()))
        .containsExactly("system", "user", "assistant", "user", "assistant");
    assertThat(messages.get(1).get("content").asString()).isEqualTo("the cat\nis good");
    assertThat(messages.get(3).get("content").asString()).isEqualTo("/name");
    assertThat(json.get("answers").asInt()).isEqualTo(2);
    assertThat(json.get("completion_tokens").asInt()).isBetween(2, 10);
    JsonNode row = JSON.readTree(Files.readString(saved)).get("messages");
    for (int i = 0; i < 3; i++) {
      assertThat(row.get(i)).isEqualTo(messages.get(i));
    }
    assertThat(row.size()).isEqualTo(3);
  }

  @Test
  void commandsChangeWhatAnswers() throws IOException {
    String question = "the cat is good\n";
    String base = chat(question, model()).out();
    String adapted = chat(question, model(), "--adapter", adapter("all-linear").toString()).out();
    assertThat(adapted).isNotEqualTo(base);
    Ended run =
        chat(
            question
                + "/clear\n/adapter b\n"
                + question
                + "/clear\n/adapter none\n/max 1\n"
                + question
                + "/adapter\n/stats\n/help\n/quit\n"
                + question,
            model(),
            "--adapter",
            "a=" + adapter("all-linear"),
            "--adapter",
            "b=" + adapter("default"));
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).startsWith(adapted);
    String[] answers = run.out().split(System.lineSeparator(), -1);
    assertThat(answers).hasSize(4); // the last is behind the last line break
    assertThat(answers[1]).isNotEqualTo(answers[0]);
    assertThat(base).startsWith(answers[2]);
    assertThat(run.err())
        .contains("adapters: a, b, none; now: none")
        .contains("answers 3, context ")
        .contains("/temperature X");
  }

  @Test
  void oldTurnsAreLeftOutWhenTheContextIsFull() throws IOException {
    Ended run = chat("the cat is good\n".repeat(12), model(), "--json");
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.json().get("answers").asInt()).isEqualTo(12);
    assertThat(run.json().get("messages").size()).isLessThan(24);
    assertThat(run.err()).contains("tokens is full: the oldest turn was left out");
  }

  @Test
  void whatFailsIsALineAndTheRestGoesOn() throws IOException {
    Ended run =
        chat(
            "/nonsense\n/adapter c\n/max x\n/temperature -1\n/save /no/such/folder/f\n"
                + "cat ".repeat(300)
                + "\nthe cat\n",
            model());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out().lines().filter(line -> !line.isBlank())).hasSize(1);
    assertThat(run.err().lines().filter(line -> line.startsWith("gatun: "))).hasSize(6);
    assertThat(run.err())
        .contains("/nonsense: unknown")
        .contains("/adapter: found c, expected none")
        .contains("/max: found 'x', expected a whole number")
        .contains("temperature: found -1.0, expected 0 or more")
        .contains("/no/such/folder/f")
        .contains("message: found ");
  }

  @Test
  void aStopTextEndsAnAnswer() throws IOException {
    Path model = model();
    String whole = chat("the cat is good\n", model).out().strip();
    String stop = whole.substring(whole.lastIndexOf(' ') + 1);
    String expected = whole.substring(0, whole.indexOf(stop));
    Ended run = chat("the cat is good\n", model, "--stop", stop);
    assertThat(run.out().strip()).isEqualTo(expected.strip());
    assertThat(run.err()).contains(", stop");
    String[] generate = {
      "generate", "--model", model.toString(), "--prompt", "the cat", "--threads", "1", "--json"
    };
    String text = Ended.gatun(generate).json().get("text").asString();
    String second = text.split(" ", -1)[1];
    List<String> stopped = new ArrayList<>(List.of(generate));
    stopped.addAll(List.of("--stop", second));
    JsonNode json = Ended.gatun(stopped.toArray(String[]::new)).json();
    assertThat(json.get("text").asString()).isEqualTo(text.substring(0, text.indexOf(second)));
    assertThat(json.get("finish_reason").asString()).isEqualTo("stop");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "2 | --temperature -1 | --temperature: found -1.0",
        "2 | --min-p 2 | --min-p: found 2.0",
        "2 | --frequency-penalty 3 | --frequency-penalty: found 3.0",
        "2 | --adapter none=A | --adapter: found the name 'none'",
        "2 | --adapter x=A --adapter x=B | --adapter: found two of the name x",
        "1 | --adapter x=/no/such/adapter | /no/such/adapter",
        "2 | --device tpu | device: found tpu",
      })
  void refusalsAreOneLineThatNamesTheCulprit(int status, String options, String named)
      throws IOException {
    Ended run = chat("the cat\n", model(), options.strip().split(" ", -1));
    assertThat(run.status()).as(run.err()).isEqualTo(status);
    assertThat(run.err().lines().filter(line -> line.startsWith("gatun: "))).hasSize(1);
    assertThat(run.err()).contains(named);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void aDirectoryWithoutATokenizerIsNamed() {
    Ended run = chat("the cat\n", TaskFixtures.PARITY.resolve("llama"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("tokenizer.json");
  }
}
