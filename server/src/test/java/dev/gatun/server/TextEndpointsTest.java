package dev.gatun.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Texts over HTTP: both endpoints, whole and streamed, with everything that may be asked.
class TextEndpointsTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String TEXT = "/v1/completions";
  private static final String MESSAGES =
      "\"messages\":[{\"role\":\"user\",\"content\":\"public class\"}]";
  @TempDir private static Path folder;
  private static Served served;

  @BeforeAll
  static void open() throws IOException {
    Served.makeAdapter(folder.resolve("one"), 1);
    Served.makeAdapter(folder.resolve("two"), 2);
    served = new Served(Served.folder(folder));
  }

  @AfterAll
  static void close() {
    served.close();
  }

  private static String text(String model, String more) {
    return "{\"model\":\"%s\",\"prompt\":\"public class \",\"temperature\":0,\"max_tokens\":12%s}"
        .formatted(model, more);
  }

  /// Returns the events of a stream, the last of which must be the end's.
  private static List<JsonNode> events(HttpResponse<java.util.stream.Stream<String>> response) {
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Type").orElseThrow())
        .startsWith("text/event-stream");
    List<String> data =
        response
            .body()
            .filter(line -> line.startsWith("data: "))
            .map(line -> line.substring(6))
            .toList();
    assertThat(data.getLast()).isEqualTo("[DONE]");
    return data.subList(0, data.size() - 1).stream().map(Served.JSON::readTree).toList();
  }

  @Test
  void aChatIsAnswered() throws Exception {
    JsonNode answer =
        served.json(
            CHAT, "{\"model\":\"demo\",\"temperature\":0,\"max_tokens\":9,%s}".formatted(MESSAGES));
    assertThat(answer.get("object").stringValue()).isEqualTo("chat.completion");
    assertThat(answer.get("id").stringValue()).startsWith("chatcmpl-");
    assertThat(answer.get("model").stringValue()).isEqualTo("demo");
    JsonNode choice = answer.get("choices").get(0);
    assertThat(choice.get("message").get("role").stringValue()).isEqualTo("assistant");
    assertThat(choice.get("message").get("content").stringValue()).isNotEmpty();
    assertThat(choice.get("finish_reason").stringValue()).isIn("stop", "length");
    JsonNode usage = answer.get("usage");
    assertThat(usage.get("completion_tokens").intValue()).isBetween(1, 9);
    assertThat(usage.get("total_tokens").intValue())
        .isEqualTo(
            usage.get("prompt_tokens").intValue() + usage.get("completion_tokens").intValue());
    assertThat(usage.get("prompt_tokens_details").get("cached_tokens").isInt()).isTrue();
  }

  @Test
  void aStreamSaysWhatTheWholeAnswerSays() throws Exception {
    String request = "{\"temperature\":0,\"max_tokens\":20,%s%s}";
    JsonNode whole = served.json(CHAT, request.formatted(MESSAGES, ""));
    List<JsonNode> events =
        events(
            served.stream(
                CHAT,
                request.formatted(
                    MESSAGES, ",\"stream\":true,\"stream_options\":{\"include_usage\":true}")));
    JsonNode first = events.getFirst().get("choices").get(0).get("delta");
    assertThat(first.get("role").stringValue()).isEqualTo("assistant");
    StringBuilder text = new StringBuilder();
    String reason = null;
    for (JsonNode event : events.subList(0, events.size() - 1)) {
      assertThat(event.get("object").stringValue()).isEqualTo("chat.completion.chunk");
      assertThat(event.get("usage").isNull()).isTrue();
      assertThat(event.get("id")).isEqualTo(events.getFirst().get("id"));
      JsonNode choice = event.get("choices").get(0);
      JsonNode content = choice.get("delta").get("content");
      text.append(content == null ? "" : content.stringValue());
      assertThat(reason).as("nothing comes behind the end").isNull();
      reason =
          choice.get("finish_reason").isNull() ? null : choice.get("finish_reason").stringValue();
    }
    JsonNode choice = whole.get("choices").get(0);
    assertThat(text).hasToString(choice.get("message").get("content").stringValue());
    assertThat(reason).isEqualTo(choice.get("finish_reason").stringValue());
    JsonNode last = events.getLast();
    assertThat(last.get("choices").isEmpty()).isTrue();
    assertThat(last.get("usage").get("completion_tokens"))
        .isEqualTo(whole.get("usage").get("completion_tokens"));
    assertThat(events.size()).as("token by token").isGreaterThan(5);
  }

  @Test
  void withoutUsageNoEventSpeaksOfIt() throws Exception {
    List<JsonNode> events = events(served.stream(TEXT, text("demo", ",\"stream\":true")));
    assertThat(events).isNotEmpty().noneMatch(event -> event.has("usage"));
    StringBuilder text = new StringBuilder();
    events.forEach(event -> text.append(event.get("choices").get(0).get("text").stringValue()));
    assertThat(text)
        .hasToString(
            served.json(TEXT, text("demo", "")).get("choices").get(0).get("text").stringValue());
  }

  @Test
  void aPromptMayBeTextOrIdsOneOrMany() throws Exception {
    String one =
        served.json(TEXT, text("demo", "")).get("choices").get(0).get("text").stringValue();
    int[] ids = served.model.tokenizer().encodeDocument("public class ");
    String other = Arrays.toString(served.model.tokenizer().encodeDocument("import java."));
    for (String prompt :
        List.of(
            Arrays.toString(ids),
            "[" + Arrays.toString(ids) + "," + other + "]",
            "[\"public class \",\"import java.\"]")) {
      JsonNode choices =
          served
              .json(TEXT, "{\"prompt\":%s,\"temperature\":0,\"max_tokens\":12}".formatted(prompt))
              .get("choices");
      assertThat(choices.get(0).get("text").stringValue()).isEqualTo(one);
      assertThat(choices.size())
          .isEqualTo(prompt.contains("],[") || prompt.startsWith("[\"") ? 2 : 1);
      assertThat(choices.get(choices.size() - 1).get("index").intValue())
          .isEqualTo(choices.size() - 1);
    }
  }

  @Test
  void severalChoicesOfSeveralPromptsAreNumberedThrough() throws Exception {
    String request =
        "{\"prompt\":[\"public \",\"import \"],\"n\":2,\"seed\":5,\"max_tokens\":6,\"echo\":true%s}";
    JsonNode choices = served.json(TEXT, request.formatted("")).get("choices");
    assertThat(choices.size()).isEqualTo(4);
    StringBuilder[] streamed = new StringBuilder[4];
    Arrays.setAll(streamed, i -> new StringBuilder());
    for (JsonNode event : events(served.stream(TEXT, request.formatted(",\"stream\":true")))) {
      JsonNode choice = event.get("choices").get(0);
      streamed[choice.get("index").intValue()].append(choice.get("text").stringValue());
    }
    for (int i = 0; i < 4; i++) {
      assertThat(choices.get(i).get("index").intValue()).isEqualTo(i);
      String text = choices.get(i).get("text").stringValue();
      assertThat(text)
          .startsWith(i < 2 ? "public " : "import ")
          .hasToString(streamed[i].toString());
    }
    assertThat(choices.get(0).get("text")).isNotEqualTo(choices.get(1).get("text"));
  }

  @Test
  void aStopTextEndsTheTextAndIsNotPartOfIt() throws Exception {
    String all =
        served
            .json(TEXT, text("demo", ",\"max_tokens\":40").replace("\"max_tokens\":12,", ""))
            .get("choices")
            .get(0)
            .get("text")
            .stringValue();
    String stop = all.substring(4, 6);
    String quoted = Served.JSON.writeValueAsString(List.of("never there", stop));
    JsonNode choice = served.json(TEXT, text("demo", ",\"stop\":" + quoted)).get("choices").get(0);
    assertThat(choice.get("text").stringValue()).isEqualTo(all.substring(0, all.indexOf(stop)));
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("stop");
  }

  @Test
  void theSeedDecides() throws Exception {
    String request = "{\"prompt\":\"public class \",\"max_tokens\":16,\"seed\":%d,\"top_k\":50}";
    JsonNode first = served.json(TEXT, request.formatted(7)).get("choices");
    assertThat(served.json(TEXT, request.formatted(7)).get("choices")).isEqualTo(first);
    assertThat(served.json(TEXT, request.formatted(8)).get("choices")).isNotEqualTo(first);
  }

  @Test
  void aBiasDecides() throws Exception {
    int id = served.model.tokenizer().encode("{")[0];
    JsonNode choice =
        served
            .json(TEXT, text("demo", ",\"logit_bias\":{\"%d\":100}".formatted(id)))
            .get("choices")
            .get(0);
    assertThat(choice.get("text").stringValue()).isEqualTo("{".repeat(12));
  }

  @Test
  void chatsTellLogarithms() throws Exception {
    JsonNode content =
        served
            .json(
                CHAT,
                "{\"temperature\":0,\"max_tokens\":4,\"logprobs\":true,\"top_logprobs\":3,%s}"
                    .formatted(MESSAGES))
            .get("choices")
            .get(0)
            .get("logprobs")
            .get("content");
    assertThat(content.size()).isEqualTo(4);
    for (JsonNode token : content) {
      assertThat(token.get("logprob").doubleValue()).isBetween(-20.0, 0.0);
      assertThat(token.get("top_logprobs").size()).isEqualTo(3);
      JsonNode best = token.get("top_logprobs").get(0);
      assertThat(best.get("token")).as("greedy").isEqualTo(token.get("token"));
      assertThat(best.get("bytes").size()).isPositive();
    }
  }

  @Test
  void completionsTellLogarithms() throws Exception {
    JsonNode choice = served.json(TEXT, text("demo", ",\"logprobs\":2")).get("choices").get(0);
    JsonNode told = choice.get("logprobs");
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < told.get("tokens").size(); i++) {
      String token = told.get("tokens").get(i).stringValue();
      assertThat(told.get("text_offset").get(i).intValue()).isEqualTo(text.length());
      assertThat(told.get("top_logprobs").get(i).get(token).doubleValue())
          .isEqualTo(told.get("token_logprobs").get(i).doubleValue());
      text.append(token);
    }
    assertThat(text).hasToString(choice.get("text").stringValue());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"guided_regex\":\"[0-9]{3}-[a-f]{2}\" | [0-9]{3}-[a-f]{2}",
        "\"structured_outputs\":{\"regex\":\"x+y\"} | x+y",
        "\"guided_choice\":[\"left\",\"right\"] | (left)?(right)?",
        "\"guided_grammar\":\"root ::= [ab]{4} [.]\" | [ab]{4}[.]",
        "\"guided_json\":{\"enum\":[12,13]} | 1[23]",
        "\"response_format\":{\"type\":\"text\"} | (?s).*",
      })
  void aFormIsKept(String field, String expected) throws Exception {
    JsonNode choices =
        served
            .json(
                TEXT, "{\"prompt\":\"a\",\"max_tokens\":40,\"n\":3,\"seed\":3,%s}".formatted(field))
            .get("choices");
    for (JsonNode choice : choices) {
      if (choice.get("finish_reason").stringValue().equals("stop")) {
        assertThat(choice.get("text").stringValue()).matches(expected);
      }
    }
    assertThat(choices.get(0).get("finish_reason").stringValue()).isIn("stop", "length");
  }

  @Test
  void aSchemaIsKept() throws Exception {
    String format =
        """
        "response_format":{"type":"json_schema","json_schema":{"name":"p","schema":{"type":"object",
        "properties":{"age":{"type":"integer","minimum":1,"maximum":9},"ok":{"type":"boolean"}},
        "required":["age","ok"]}}}\
        """;
    JsonNode choice =
        served
            .json(CHAT, "{%s,\"temperature\":0,\"max_tokens\":300,%s}".formatted(MESSAGES, format))
            .get("choices")
            .get(0);
    assertThat(choice.get("finish_reason").stringValue()).isEqualTo("stop");
    JsonNode made = Served.JSON.readTree(choice.get("message").get("content").stringValue());
    assertThat(made.get("age").intValue()).isBetween(1, 9);
    assertThat(made.get("ok").isBoolean()).isTrue();
  }

  /// Twelve at a time, through two adapters or none, say what each says alone.
  @Test
  void concurrentRequestsDoNotMix() throws Exception {
    List<String> names = List.of("demo", "one", "two");
    List<String> alone = new ArrayList<>();
    for (String name : names) {
      alone.add(served.json(TEXT, text(name, "")).get("choices").get(0).get("text").stringValue());
    }
    assertThat(alone).doesNotHaveDuplicates();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<JsonNode>> all = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        String name = names.get(i % 3);
        all.add(threads.submit(() -> served.json(TEXT, text(name, ""))));
      }
      for (int i = 0; i < 12; i++) {
        JsonNode answer = all.get(i).get();
        assertThat(answer.get("model").stringValue()).isEqualTo(names.get(i % 3));
        assertThat(answer.get("choices").get(0).get("text").stringValue())
            .isEqualTo(alone.get(i % 3));
      }
    }
  }

  @Test
  void anEnsembleAnswersAsOne() throws Exception {
    String ensemble = ",\"logprobs\":0,\"ensemble\":\"lora-dropout:p=%s,n=%d\"%s";
    JsonNode plain = served.json(TEXT, text("one", ",\"logprobs\":0")).get("choices");
    assertThat(served.json(TEXT, text("one", ensemble.formatted("1e-12", 1, ""))).get("choices"))
        .isEqualTo(plain);
    JsonNode answer = served.json(TEXT, text("one", ensemble.formatted("0.4", 5, "")));
    assertThat(answer.get("choices")).isNotEqualTo(plain);
    assertThat(answer.get("usage").get("completion_tokens").intValue()).isEqualTo(12);
    assertThat(
            served
                .json(TEXT, text("one", ensemble.formatted("0.4", 5, ",\"ensemble_seed\":1")))
                .get("choices"))
        .isNotEqualTo(answer.get("choices"));
    String told = ",\"average\":\"probabilities\"";
    assertThat(served.json(TEXT, text("one", ensemble.formatted("0.4", 5, told))).get("choices"))
        .isNotEqualTo(answer.get("choices"));
    served.awaitIdle();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "prompt | {\"model\":\"demo\"}",
        "prompt | {\"prompt\":5}",
        "prompt | {\"prompt\":[]}",
        "prompt[0] | {\"prompt\":[[]]}",
        "prompt[1] | {\"prompt\":[\"a\",3]}",
        "prompt | {\"prompt\":[1,4096]}",
        "prompt | {\"prompt\":[1,99999999999999999999]}",
        "prompt | {\"prompt\":\"a\\u0000b\"}",
        "prompt | {\"prompt\":\"\\ud800\"}",
        "model | {\"prompt\":\"a\",\"model\":5}",
        "max_tokens | {\"prompt\":\"a\",\"max_tokens\":0}",
        "max_tokens | {\"prompt\":\"a\",\"max_tokens\":1.5}",
        "max_tokens | {\"prompt\":\"a\",\"max_tokens\":\"5\"}",
        "temperature | {\"prompt\":\"a\",\"temperature\":-1}",
        "temperature | {\"prompt\":\"a\",\"temperature\":\"hot\"}",
        "temperature | {\"prompt\":\"a\",\"temperature\":1e999}",
        "top_p | {\"prompt\":\"a\",\"top_p\":1.5}",
        "top_k | {\"prompt\":\"a\",\"top_k\":-2}",
        "min_p | {\"prompt\":\"a\",\"min_p\":2}",
        "presence_penalty | {\"prompt\":\"a\",\"presence_penalty\":3}",
        "ensemble | {\"prompt\":\"a\",\"ensemble\":4}",
        "ensemble | {\"prompt\":\"a\",\"ensemble\":\"lora-dropout\"}",
        "ensemble | {\"prompt\":\"a\",\"model\":\"one\",\"ensemble\":\"lora-dropout:n=33\"}",
        "ensemble | {\"prompt\":\"a\",\"model\":\"one\",\"ensemble\":\"lora-dropout:n=0\"}",
        "ensemble | {\"prompt\":\"a\",\"model\":\"one\",\"ensemble\":\"dropkey:p=0.1\"}",
        "average | {\"prompt\":\"a\",\"ensemble\":\"lora-dropout\",\"average\":\"all\"}",
        "ensemble_seed | {\"prompt\":\"a\",\"ensemble\":\"lora-dropout\",\"ensemble_seed\":0.5}",
        "n | {\"prompt\":\"a\",\"n\":0}",
        "n | {\"prompt\":\"a\",\"n\":129}",
        "seed | {\"prompt\":\"a\",\"seed\":1e3}",
        "stop | {\"prompt\":\"a\",\"stop\":{}}",
        "stop | {\"prompt\":\"a\",\"stop\":\"\"}",
        "stream | {\"prompt\":\"a\",\"stream\":1}",
        "stream_options | {\"prompt\":\"a\",\"stream_options\":true}",
        "logprobs | {\"prompt\":\"a\",\"logprobs\":21}",
        "logit_bias | {\"prompt\":\"a\",\"logit_bias\":{\"x\":1}}",
        "logit_bias | {\"prompt\":\"a\",\"logit_bias\":{\"4096\":1}}",
        "best_of | {\"prompt\":\"a\",\"best_of\":2}",
        "suffix | {\"prompt\":\"a\",\"suffix\":\"b\"}",
        "response_format.type | {\"prompt\":\"a\",\"response_format\":{\"type\":\"xml\"}}",
        "guided_choice | {\"prompt\":\"a\",\"guided_choice\":3}",
        "guided_regex | {\"prompt\":\"a\",\"guided_regex\":\"(a\"}",
        "guided_grammar | {\"prompt\":\"a\",\"guided_grammar\":\"root\"}",
        "guided_json | {\"prompt\":\"a\",\"guided_json\":{\"type\":\"nothing\"}}",
        "guided_choice | {\"prompt\":\"a\",\"guided_regex\":\"a\",\"guided_choice\":[\"b\"]}",
      })
  void aWrongFieldIsNamed(String param, String body) throws Exception {
    HttpResponse<String> response = served.post(TEXT, body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    JsonNode error = Served.JSON.readTree(response.body()).get("error");
    assertThat(error.get("param").stringValue()).isEqualTo(param);
    assertThat(error.get("type").stringValue()).isEqualTo("invalid_request_error");
    assertThat(error.get("message").stringValue()).contains("found", "expected");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "messages | {}",
        "messages | {\"messages\":[]}",
        "messages | {\"messages\":\"hi\"}",
        "messages[0] | {\"messages\":[\"hi\"]}",
        "messages[0].role | {\"messages\":[{\"content\":\"hi\"}]}",
        "messages[0].role | {\"messages\":[{\"role\":\"king\",\"content\":\"hi\"}]}",
        "messages[0].content | {\"messages\":[{\"role\":\"user\",\"content\":7}]}",
        "messages[0].content[0].type | {\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
        "top_logprobs | {\"top_logprobs\":21}",
        "tools | {\"tools\":[{\"type\":\"function\"}]}",
      })
  void aWrongFieldOfAChatIsNamed(String param, String body) throws Exception {
    HttpResponse<String> response = served.post(CHAT, body);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    assertThat(Served.JSON.readTree(response.body()).get("error").get("param").stringValue())
        .isEqualTo(param);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nothing | ''",
        "half | {\"prompt\":",
        "an array | [1]",
        "a key twice | {\"prompt\":\"a\",\"prompt\":\"b\"}",
        "more behind it | {\"prompt\":\"a\"} {}",
        "NaN | {\"prompt\":\"a\",\"temperature\":NaN}",
      })
  void whatIsNoJsonIsRefused(String what, String body) throws Exception {
    assertThat(served.post(TEXT, body).statusCode()).as(what).isEqualTo(400);
  }

  @Test
  void deepAndLongThingsAreRefused() throws Exception {
    String deep = "[".repeat(100_000) + "]".repeat(100_000);
    String digits = "9".repeat(100_000);
    for (String value : List.of(deep, digits, "1e" + digits, "-" + digits + ".5")) {
      assertThat(served.post(TEXT, "{\"prompt\":\"a\",\"x\":%s}".formatted(value)).statusCode())
          .isEqualTo(400);
    }
    HttpResponse<String> response =
        served.post(TEXT, "{\"prompt\":\"%s\"}".formatted("word ".repeat(3000)));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("context_length_exceeded");
  }

  @Test
  void unknownFieldsAreLeftAlone() throws Exception {
    served.json(TEXT, text("demo", ",\"user\":\"me\",\"metadata\":{\"a\":[1]},\"stop\":null"));
  }

  @Test
  void anUnknownModelIsNotFound() throws Exception {
    HttpResponse<String> response = served.post(TEXT, text("nobody", ""));
    assertThat(response.statusCode()).isEqualTo(404);
    JsonNode error = Served.JSON.readTree(response.body()).get("error");
    assertThat(error.get("code").stringValue()).isEqualTo("model_not_found");
    assertThat(error.get("param").stringValue()).isEqualTo("model");
  }
}
