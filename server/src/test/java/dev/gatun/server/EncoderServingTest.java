package dev.gatun.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gatun.chat.LocalClassifier;
import dev.gatun.chat.LocalClassifier.Scores;
import dev.gatun.chat.LocalClassifier.Text;
import dev.gatun.models.engine.AdapterEnsemble;
import dev.gatun.models.engine.EncoderOptions;
import dev.gatun.models.train.Evaluation.Average;
import dev.gatun.runtime.DType;
import dev.gatun.runtime.Device;
import dev.gatun.runtime.NativeMemory;
import dev.gatun.server.ServerOptions.Limits;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// An encoder behind a server: embeddings, classes, adapters, and everything that is refused.
class EncoderServingTest {
  private static final String CLASSIFY = "/classify";
  private static final String EMBED = "/v1/embeddings";
  private static final String LOAD = "/v1/load_lora_adapter";
  private static final String UNLOAD = "/v1/unload_lora_adapter";
  private static final String CAT = "the cat is good";

  @TempDir private static Path temp;
  private static Path directory;
  private static Path adapters;
  private static ServedEncoder served;

  @BeforeAll
  static void open() throws IOException {
    directory = ServedEncoder.directory(temp.resolve("roberta"), "roberta");
    adapters = temp.resolve("adapters");
    ServedEncoder.adapter(adapters.resolve("one"), "default");
    ServedEncoder.adapter(adapters.resolve("two"), "all-linear");
    served = ServedEncoder.open(directory, options(Limits.DEFAULT, null), null);
  }

  @AfterAll
  static void close() {
    served.close();
  }

  private static ServerOptions options(Limits limits, String key) {
    return new ServerOptions("127.0.0.1", 0, null, key, adapters, null, limits);
  }

  private static String body(Object... fields) {
    Map<Object, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < fields.length; i += 2) {
      map.put(fields[i], fields[i + 1]);
    }
    return Client.JSON.writeValueAsString(map);
  }

  private static JsonNode error(HttpResponse<String> response, int status) {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    return Client.JSON.readTree(response.body()).get("error");
  }

  private static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).floatValue();
    }
    return values;
  }

  /// Checks an answer's entry against what the classifier itself says.
  private static void assertScores(JsonNode entry, int index, Scores expected) {
    assertThat(entry.get("index").intValue()).isEqualTo(index);
    assertThat(entry.get("label").stringValue()).isEqualTo(expected.best().label());
    assertThat(entry.get("num_classes").intValue()).isEqualTo(expected.all().size());
    float[] probabilities = floats(entry.get("probs"));
    assertThat(probabilities).hasSize(expected.all().size());
    for (int k = 0; k < probabilities.length; k++) {
      assertThat(probabilities[k]).isCloseTo(expected.all().get(k).score(), within(1e-5f));
    }
  }

  private static LocalClassifier classifier(String adapter, AdapterEnsemble ensemble)
      throws IOException {
    return LocalClassifier.open(
        directory,
        adapter == null ? null : adapters.resolve(adapter),
        ensemble,
        Device.CPU,
        DType.F32,
        EncoderOptions.DEFAULT);
  }

  @Test
  void modelsAreTheEncoderAndItsAdapters() throws Exception {
    assertThat(served.server.name()).isEqualTo("roberta");
    assertThat(served.server.adapters()).contains("one", "two");
    JsonNode data = Client.JSON.readTree(served.get("/v1/models").body()).get("data");
    assertThat(data.get(0).get("id").stringValue()).isEqualTo("roberta");
    assertThat(data.get(0).get("max_model_len").intValue()).isEqualTo(40);
    assertThat(data.get(1).get("id").stringValue()).isEqualTo("one");
    assertThat(data.get(1).get("parent").stringValue()).isEqualTo("roberta");
  }

  @Test
  void embeddingsAreTheEncoders() throws Exception {
    List<String> texts = List.of(CAT, "", "a dog is here");
    float[][] expected = served.model.encoder().embed(texts);
    JsonNode answer = served.json(EMBED, body("model", "roberta", "input", texts));
    assertThat(answer.get("object").stringValue()).isEqualTo("list");
    assertThat(answer.get("model").stringValue()).isEqualTo("roberta");
    assertThat(answer.get("usage").get("prompt_tokens").intValue())
        .isEqualTo(served.model.encoder().tokens(texts));
    for (int i = 0; i < texts.size(); i++) {
      JsonNode each = answer.get("data").get(i);
      assertThat(each.get("index").intValue()).isEqualTo(i);
      assertThat(floats(each.get("embedding"))).containsExactly(expected[i], within(1e-5f));
    }
    JsonNode bytes = served.json(EMBED, body("input", CAT, "encoding_format", "base64"));
    assertThat(Base64.getDecoder().decode(bytes.at("/data/0/embedding").stringValue()))
        .hasSize(24 * Float.BYTES);
    int[] ids = served.model.encoder().tokenizer().encode(CAT);
    JsonNode fromIds = served.json(EMBED, body("input", ids));
    assertThat(floats(fromIds.at("/data/0/embedding"))).containsExactly(expected[0], within(1e-5f));
  }

  /// More texts than one pass takes, in their order.
  @Test
  void manyTextsAreAnsweredInTheirOrder() throws Exception {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      texts.add(i % 2 == 0 ? CAT : "a dog is here");
    }
    JsonNode vectors = served.json(EMBED, body("input", texts)).get("data");
    JsonNode classes = served.json(CLASSIFY, body("input", texts)).get("data");
    assertThat(vectors.size()).isEqualTo(2000);
    assertThat(classes.size()).isEqualTo(2000);
    for (int i = 2; i < 2000; i++) {
      assertThat(vectors.get(i).get("index").intValue()).isEqualTo(i);
      assertThat(floats(vectors.get(i).get("embedding")))
          .containsExactly(floats(vectors.get(i % 2).get("embedding")), within(1e-5f));
      assertThat(classes.get(i).get("index").intValue()).isEqualTo(i);
      assertThat(floats(classes.get(i).get("probs")))
          .containsExactly(floats(classes.get(i % 2).get("probs")), within(1e-5f));
    }
  }

  @Test
  void classesAreThoseOfTheModelOrAnAdapter() throws Exception {
    List<Text> texts = List.of(new Text(CAT, null), new Text("the cat", "a dog is here"));
    Object input = List.of(CAT, List.of("the cat", "a dog is here"));
    List<JsonNode> first = new ArrayList<>();
    for (String adapter : new String[] {null, "one", "two"}) {
      String name = adapter == null ? "roberta" : adapter;
      JsonNode answer = served.json(CLASSIFY, body("model", name, "input", input));
      try (LocalClassifier expected = classifier(adapter, null)) {
        List<Scores> all = expected.classifyTexts(texts);
        assertScores(answer.at("/data/0"), 0, all.get(0));
        assertScores(answer.at("/data/1"), 1, all.get(1));
        assertThat(answer.at("/usage/prompt_tokens").intValue()).isEqualTo(expected.tokens(texts));
      }
      assertThat(answer.get("id").stringValue()).startsWith("classify-");
      assertThat(answer.get("object").stringValue()).isEqualTo("list");
      assertThat(answer.get("model").stringValue()).isEqualTo(name);
      first.add(answer.at("/data/0/probs"));
    }
    assertThat(first).doesNotHaveDuplicates();
    assertThat(served.json(CLASSIFY, body("input", CAT)).at("/data/0/probs"))
        .isEqualTo(first.getFirst());
  }

  @Test
  void anEnsembleAveragesOverDraws() throws Exception {
    AdapterEnsemble draws = new AdapterEnsemble(0.3, 4, 1, Average.PROBABILITIES);
    try (ServedEncoder many = ServedEncoder.open(directory, options(Limits.DEFAULT, null), draws);
        LocalClassifier expected = classifier("two", draws)) {
      JsonNode entry = many.json(CLASSIFY, body("model", "two", "input", CAT)).at("/data/0");
      assertScores(entry, 0, expected.classify(List.of(CAT)).getFirst());
      JsonNode plain = served.json(CLASSIFY, body("model", "two", "input", CAT)).at("/data/0");
      assertThat(entry.get("probs")).isNotEqualTo(plain.get("probs"));
      assertThat(many.json(CLASSIFY, body("input", CAT)).at("/data/0/probs"))
          .as("the model's own head has no masks")
          .isEqualTo(served.json(CLASSIFY, body("input", CAT)).at("/data/0/probs"));
    }
  }

  @Test
  void severalLabelsHaveProbabilitiesOfTheirOwn() throws Exception {
    Path several = ServedEncoder.directory(temp.resolve("several"), "roberta");
    edit(
        several,
        "\"pad_token_id\"",
        "\"problem_type\": \"multi_label_classification\", \"pad_token_id\"");
    try (ServedEncoder open = ServedEncoder.open(several, ServerOptions.LOCAL, null)) {
      double sum = 0;
      for (float p : floats(open.json(CLASSIFY, body("input", CAT)).at("/data/0/probs"))) {
        assertThat(p).isBetween(0f, 1f);
        sum += p;
      }
      assertThat(sum).isNotCloseTo(1, within(1e-3));
    }
  }

  private static void edit(Path model, String from, String to) throws IOException {
    Path config = model.resolve("config.json");
    String text = Files.readString(config);
    assertThat(text).contains(from);
    Files.writeString(config, text.replace(from, to));
  }

  @ParameterizedTest
  @ValueSource(strings = {"xlm-roberta", "deberta-v3", "roberta-qa"})
  void otherEncodersAreServedToo(String fixture) throws Exception {
    Path other = ServedEncoder.directory(temp.resolve("other-" + fixture), fixture);
    try (ServedEncoder open = ServedEncoder.open(other, ServerOptions.LOCAL, null)) {
      assertThat(open.json(EMBED, body("input", CAT)).at("/data/0/embedding").size())
          .isEqualTo(open.model.encoder().dimension());
      HttpResponse<String> classes = open.post(CLASSIFY, body("input", CAT));
      assertThat(classes.statusCode()).isEqualTo(fixture.endsWith("-qa") ? 400 : 200);
    }
  }

  @Test
  void withoutAHeadThereAreEmbeddingsAlone() throws Exception {
    Path bare = ServedEncoder.directory(temp.resolve("bare"), "roberta");
    edit(bare, "RobertaForSequenceClassification", "RobertaModel");
    try (ServedEncoder open = ServedEncoder.open(bare, Served.folder(adapters), null)) {
      assertThat(open.server.adapters()).as("left out").isEmpty();
      open.json(EMBED, body("input", CAT));
      JsonNode classes = error(open.post(CLASSIFY, body("input", CAT)), 400);
      assertThat(classes.get("param").stringValue()).isEqualTo("model");
      JsonNode load = error(open.post(LOAD, body("lora_name", "x", "lora_path", "one")), 400);
      assertThat(load.get("param").stringValue()).isEqualTo("lora_path");
      assertThat(load.get("message").stringValue()).contains("head").doesNotContain("" + temp);
    }
  }

  /// config.json names a head, whose weights only the adapters have.
  @Test
  void adaptersMayBringTheOnlyHeads() throws Exception {
    Path headless = ServedEncoder.directory(temp.resolve("headless"), "roberta");
    Files.copy(
        ServedEncoder.PARITY.resolve("roberta-qa/model.safetensors"),
        headless.resolve("model.safetensors"),
        StandardCopyOption.REPLACE_EXISTING);
    try (ServedEncoder open = ServedEncoder.open(headless, Served.folder(adapters), null)) {
      assertThat(open.server.adapters()).contains("one");
      open.json(CLASSIFY, body("model", "one", "input", CAT));
      assertThat(error(open.post(CLASSIFY, body("input", CAT)), 400).get("message").stringValue())
          .contains("without a head");
    }
  }

  @Test
  void longTextsAreRefusedOrCut() throws Exception {
    String words = "cat ".repeat(60).strip();
    for (String path : List.of(EMBED, CLASSIFY)) {
      JsonNode refused = error(served.post(path, body("input", List.of(CAT, words))), 400);
      assertThat(refused.get("code").stringValue()).isEqualTo("context_length_exceeded");
      assertThat(refused.get("param").stringValue()).isEqualTo("input");
      JsonNode cut = served.json(path, body("input", words, "truncate_prompt_tokens", -1));
      assertThat(cut.at("/usage/prompt_tokens").intValue()).isEqualTo(40);
      assertThat(
              error(served.post(path, body("input", CAT, "truncate_prompt_tokens", 5)), 400)
                  .get("param")
                  .stringValue())
          .isEqualTo("truncate_prompt_tokens");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "input | {}",
        "input | {\"input\":[]}",
        "input | {\"input\":5}",
        "input | {\"input\":{}}",
        "input[0] | {\"input\":[5]}",
        "input[1] | {\"input\":[\"a\",null]}",
        "input[1] | {\"input\":[\"a\",[\"b\"]]}",
        "input[0] | {\"input\":[[\"a\",\"b\",\"c\"]]}",
        "input[0][1] | {\"input\":[[\"a\",3]]}",
        "input | {\"input\":\"a\\u0000b\"}",
        "input[0][0] | {\"input\":[[\"\\ud800\",\"a\"]]}",
        "model | {\"input\":\"a\",\"model\":5}",
        "truncate_prompt_tokens | {\"input\":\"a\",\"truncate_prompt_tokens\":\"all\"}",
      })
  void aWrongFieldIsNamed(String param, String body) throws Exception {
    JsonNode error = error(served.post(CLASSIFY, body), 400);
    assertThat(error.get("param").stringValue()).isEqualTo(param);
    assertThat(error.get("message").stringValue()).contains("found", "expected");
  }

  @Test
  void whatAnEncoderCannotIsSaid() throws Exception {
    String chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
    for (String path : List.of("/v1/chat/completions", "/v1/completions")) {
      JsonNode error = error(served.post(path, chat), 404);
      assertThat(error.get("message").stringValue()).contains("encoder");
    }
    assertThat(served.get("/").statusCode()).as("no page to chat on").isEqualTo(404);
    JsonNode adapter = error(served.post(EMBED, body("model", "one", "input", CAT)), 400);
    assertThat(adapter.get("param").stringValue()).isEqualTo("model");
    for (String path : List.of(EMBED, CLASSIFY)) {
      JsonNode unknown = error(served.post(path, body("model", "nobody", "input", CAT)), 404);
      assertThat(unknown.get("code").stringValue()).isEqualTo("model_not_found");
    }
    try (Served writer = new Served(ServerOptions.LOCAL)) {
      assertThat(error(writer.post(CLASSIFY, body("input", CAT)), 404).get("message").stringValue())
          .contains("an encoder with a head");
    }
  }

  @Test
  void adaptersComeAndGoWhileTheyAreAsked() throws Exception {
    String load = body("lora_name", "mine", "lora_path", "one");
    assertThat(served.post(LOAD, load).body()).startsWith("Success");
    JsonNode expected = served.json(CLASSIFY, body("model", "mine", "input", CAT)).get("data");
    error(served.post(LOAD, load), 400);
    AtomicBoolean over = new AtomicBoolean();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> asking = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        asking.add(
            threads.submit(() -> {
              int answers = 0;
              while (!over.get()) {
                assertThat(served.json(CLASSIFY, body("model", "mine", "input", CAT)).get("data"))
                    .isEqualTo(expected);
                answers++;
              }
              return answers;
            }));
      }
      for (int i = 0; i < 10; i++) {
        String again = body("lora_name", "mine", "lora_path", "one", "load_inplace", true);
        assertThat(served.post(LOAD, again).statusCode()).isEqualTo(200);
      }
      over.set(true);
      for (Future<Integer> each : asking) {
        assertThat(each.get()).isPositive();
      }
    }
    assertThat(served.post(UNLOAD, body("lora_name", "mine")).statusCode()).isEqualTo(200);
    error(served.post(CLASSIFY, body("model", "mine", "input", CAT)), 404);
    error(served.post(UNLOAD, body("lora_name", "mine")), 404);
    error(served.post(LOAD, body("lora_name", "mine", "lora_path", "../roberta")), 403);
  }

  /// A request of several passes stays with the adapter that it found.
  @Test
  void aRequestUnderWayKeepsItsAdapter() throws Exception {
    assertThat(served.post(LOAD, body("lora_name", "going", "lora_path", "one")).statusCode())
        .isEqualTo(200);
    List<String> texts = Collections.nCopies(2000, "the cat is good a dog is here");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<JsonNode> answer =
          threads.submit(() -> served.json(CLASSIFY, body("model", "going", "input", texts)));
      while (!served.get("/metrics").body().contains("{model=\"going\"}")) {
        Thread.sleep(1);
      }
      assertThat(served.post(UNLOAD, body("lora_name", "going")).statusCode()).isEqualTo(200);
      assertThat(answer.get().get("data").size()).isEqualTo(2000);
    }
  }

  @Test
  void metricsTellWhatWasAsked() throws Exception {
    served.json(CLASSIFY, body("model", "two", "input", CAT));
    String text = served.get("/metrics").body();
    assertThat(text)
        .contains(
            "gatun_model_requests_total{model=\"two\"}",
            "gatun_http_requests_total{endpoint=\"/classify\",status=\"200\"}",
            "gatun_request_seconds_count")
        .containsPattern("gatun_input_tokens_total [1-9]")
        .doesNotContain("gatun_running_sequences", "time_per_token");
    assertThat(served.get("/health").body()).isEqualTo("{\"status\":\"ok\"}");
  }

  @Test
  void theKeyIsAskedFor() throws Exception {
    try (ServedEncoder keyed =
        ServedEncoder.open(directory, options(Limits.DEFAULT, "sekret"), null)) {
      for (String path : List.of(EMBED, CLASSIFY, LOAD, UNLOAD, "/v1/completions")) {
        error(keyed.post(path, body("input", CAT)), 401);
      }
      HttpRequest request =
          keyed
              .request(CLASSIFY)
              .header("Authorization", "Bearer sekret")
              .POST(HttpRequest.BodyPublishers.ofString(body("input", CAT)))
              .build();
      assertThat(keyed.client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode())
          .isEqualTo(200);
    }
  }

  @Test
  void requestsAreBounded() throws Exception {
    Limits limits =
        new Limits(200_000, Duration.ofSeconds(5), Duration.ofMillis(1), Duration.ofSeconds(5), 64);
    try (ServedEncoder strict = ServedEncoder.open(directory, options(limits, null), null)) {
      for (String path : List.of(EMBED, CLASSIFY)) {
        String many = body("input", Collections.nCopies(2000, "the cat is good a dog is here"));
        assertThat(error(strict.post(path, many), 504).get("code").stringValue())
            .isEqualTo("deadline_exceeded");
        error(strict.post(path, body("input", "x".repeat(300_000))), 413);
        error(strict.post(path, body("input", Collections.nCopies(2049, "a"))), 400);
      }
    }
  }

  @Test
  void aFullQueueAsksToComeBack() throws Exception {
    EncoderOptions one = new EncoderOptions(64, 1, 1);
    try (EncoderModel model = EncoderModel.open(directory, Device.CPU, DType.F32, one, null);
        Client client = new Client(GatunServer.open(model, ServerOptions.LOCAL));
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      String body = body("input", Collections.nCopies(500, CAT));
      boolean refused = false;
      for (int round = 0; round < 20 && !refused; round++) {
        List<Future<HttpResponse<String>>> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          all.add(threads.submit(() -> client.post(CLASSIFY, body)));
        }
        for (Future<HttpResponse<String>> each : all) {
          HttpResponse<String> response = each.get();
          assertThat(response.statusCode()).as(response.body()).isIn(200, 429);
          refused |= response.headers().firstValue("Retry-After").isPresent();
        }
      }
      assertThat(refused).isTrue();
    }
  }

  @Test
  void theEndLeavesNothing() throws Exception {
    long live = NativeMemory.liveTensors();
    ServedEncoder closed = ServedEncoder.open(directory, options(Limits.DEFAULT, null), null);
    assertThat(NativeMemory.liveTensors()).isGreaterThan(live);
    closed.model.close();
    assertThat(NativeMemory.liveTensors()).isEqualTo(live);
    error(closed.post(LOAD, body("lora_name", "new", "lora_path", "one")), 400);
    closed.close();
    assertThat(NativeMemory.liveTensors()).isEqualTo(live);
  }
}
