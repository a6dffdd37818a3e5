package dev.gatun.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.runtime.ShapeException;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Everything but texts: models, adapters, embeddings, health, metrics, the page, and who may ask.
class ServingTest {
  private static final String LOAD = "/v1/load_lora_adapter";
  private static final String UNLOAD = "/v1/unload_lora_adapter";
  @TempDir private static Path temp;
  private static Path folder;
  private static Served served;

  @BeforeAll
  static void open() throws IOException {
    folder = Files.createDirectory(temp.resolve("adapters"));
    Served.makeAdapter(folder.resolve("one"), 1);
    Served.makeAdapter(temp.resolve("outside"), 2);
    Files.createSymbolicLink(folder.resolve("link"), temp.resolve("outside"));
    Path mixed = Files.createDirectory(folder.resolve("mixed"));
    Files.copy(folder.resolve("one/adapter_config.json"), mixed.resolve("adapter_config.json"));
    Files.createSymbolicLink(
        mixed.resolve("adapter_model.safetensors"),
        temp.resolve("outside/adapter_model.safetensors"));
    Files.createDirectory(folder.resolve("empty"));
    Embedder lengths =
        (texts, adapter, cut) ->
            new Embedder.Embeddings(
                texts.stream()
                    .map(text -> new float[] {text.length(), adapter == null ? 0 : .5f})
                    .toList(),
                3);
    served = new Served(Served.folder(folder), Served.ENGINE, lengths);
  }

  @AfterAll
  static void close() {
    served.close();
  }

  private static String load(String name, String path) {
    return Served.JSON.writeValueAsString(java.util.Map.of("lora_name", name, "lora_path", path));
  }

  @Test
  void modelsAreTheBaseAndItsAdapters() throws Exception {
    HttpResponse<String> response = served.get("/v1/models");
    assertThat(response.statusCode()).isEqualTo(200);
    JsonNode data = Served.JSON.readTree(response.body()).get("data");
    assertThat(data.get(0).get("id").stringValue()).isEqualTo("demo");
    assertThat(data.get(0).get("parent").isNull()).isTrue();
    assertThat(data.get(0).get("max_model_len").intValue()).isEqualTo(1024);
    assertThat(data.size()).as("neither links out of the folder").isEqualTo(2);
    assertThat(data.get(1).get("id").stringValue()).isEqualTo("one");
    assertThat(data.get(1).get("parent").stringValue()).isEqualTo("demo");
    assertThat(data.get(1).get("root").stringValue()).isEqualTo("demo");
    JsonNode one = Served.JSON.readTree(served.get("/v1/models/one").body());
    assertThat(one).isEqualTo(data.get(1));
    assertThat(served.get("/v1/models/none").statusCode()).isEqualTo(404);
    assertThat(served.get("/v1/models/a/b%20c").statusCode()).isEqualTo(404);
  }

  @Test
  void adaptersComeAndGo() throws Exception {
    assertThat(served.post(LOAD, load("two/x y", "one")).body()).startsWith("Success");
    assertThat(served.get("/v1/models/two/x%20y").statusCode()).isEqualTo(200);
    String ask = "{\"model\":\"two/x y\",\"prompt\":\"a\",\"max_tokens\":2}";
    assertThat(served.post("/v1/completions", ask).statusCode()).isEqualTo(200);
    assertThat(served.get("/metrics").body())
        .contains("gatun_model_requests_total{model=\"two/x y\"} 1");
    assertThat(served.post(LOAD, load("two/x y", "one")).statusCode()).as("again").isEqualTo(400);
    String inPlace = load("two/x y", folder.resolve("one").toString());
    assertThat(served.post(LOAD, inPlace.replace("{", "{\"load_inplace\":true,")).statusCode())
        .isEqualTo(200);
    assertThat(served.post(UNLOAD, "{\"lora_name\":\"two/x y\"}").statusCode()).isEqualTo(200);
    assertThat(served.post(UNLOAD, "{\"lora_name\":\"two/x y\"}").statusCode()).isEqualTo(404);
    assertThat(served.post("/v1/completions", ask).statusCode()).isEqualTo(404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "..",
        ".",
        "",
        "../outside",
        "one/../../outside",
        "/",
        "/etc",
        "link",
        "mixed",
        "/proc/self",
        "../nowhere",
        "//etc",
        "one/../.."
      })
  void nothingOutsideTheFolderIsLoaded(String path) throws Exception {
    HttpResponse<String> response = served.post(LOAD, load("bad", path));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(403);
    assertThat(response.body()).doesNotContain(temp.toString());
    assertThat(served.model.engine().adapter("bad")).isEmpty();
  }

  @Test
  void whatIsNoAdapterIsRefusedWithoutTheFoldersPlace() throws Exception {
    assertThat(served.post(LOAD, load("bad", "nowhere")).statusCode()).isEqualTo(404);
    HttpResponse<String> response = served.post(LOAD, load("bad", "empty"));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).doesNotContain(temp.toString()).contains("\"lora_path\"");
    for (String name : List.of("", "demo", "a\nb", "x".repeat(201))) {
      HttpResponse<String> named = served.post(LOAD, load(name, "one"));
      assertThat(named.statusCode()).as(name).isEqualTo(400);
      assertThat(named.body()).contains("\"param\":\"lora_name\"");
    }
  }

  @Test
  void withoutAFolderNothingIsLoaded() throws Exception {
    try (Served closed = new Served(ServerOptions.LOCAL)) {
      assertThat(closed.post(LOAD, load("a", "one")).statusCode()).isEqualTo(403);
      assertThat(closed.post(UNLOAD, "{\"lora_name\":\"a\"}").statusCode()).isEqualTo(403);
      closed.server.load("mine", folder.resolve("one"));
      assertThat(closed.get("/v1/models/mine").statusCode()).isEqualTo(200);
      HttpResponse<String> none = closed.post("/v1/embeddings", "{\"input\":\"a\"}");
      assertThat(none.statusCode()).as("no embedder").isEqualTo(404);
    }
  }

  @Test
  void embeddingsAreNumbersOrBytes() throws Exception {
    JsonNode answer =
        served.json("/v1/embeddings", "{\"model\":\"one\",\"input\":[\"a\",\"bcd\"]}");
    assertThat(answer.get("data").size()).isEqualTo(2);
    JsonNode second = answer.get("data").get(1);
    assertThat(second.get("index").intValue()).isEqualTo(1);
    assertThat(second.get("embedding").get(0).floatValue()).isEqualTo(3);
    assertThat(second.get("embedding").get(1).floatValue()).isEqualTo(.5f);
    assertThat(answer.get("usage").get("prompt_tokens").intValue()).isEqualTo(3);
    JsonNode bytes =
        served.json("/v1/embeddings", "{\"input\":\"bcd\",\"encoding_format\":\"base64\"}");
    byte[] raw =
        Base64.getDecoder().decode(bytes.get("data").get(0).get("embedding").stringValue());
    ByteBuffer values = ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(values.getFloat()).isEqualTo(3);
    int[] ids = served.model.tokenizer().encode("bcd");
    JsonNode fromIds =
        served.json("/v1/embeddings", "{\"input\":%s}".formatted(java.util.Arrays.toString(ids)));
    assertThat(fromIds.get("data").get(0).get("embedding").get(0).floatValue()).isEqualTo(3);
    assertThat(served.post("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":5}").body())
        .contains("\"param\":\"dimensions\"");
  }

  @Test
  void theModelItselfEmbedsTexts() throws Exception {
    Embedder own = Embedder.of(served.model);
    float[] alone = own.embed(List.of("int a"), null, false).vectors().getFirst();
    assertThat(alone).hasSize(192);
    Embedder.Embeddings both =
        own.embed(
            List.of("import java", "int a"),
            served.model.engine().adapter("one").orElseThrow(),
            false);
    assertThat(both.vectors().get(1)).isNotEqualTo(alone);
    assertThat(both.tokens()).isGreaterThan(2);
    List<String> words = List.of("word ".repeat(3000));
    assertThatThrownBy(() -> own.embed(words, null, false)).isInstanceOf(ShapeException.class);
    assertThat(own.embed(words, null, true).tokens()).isEqualTo(1024);
  }

  @Test
  void healthAndMetricsTellHowItIs() throws Exception {
    served.json("/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":3,\"ignore_eos\":true}");
    assertThat(served.get("/health").body()).isEqualTo("{\"status\":\"ok\"}");
    String text = served.get("/metrics").body();
    assertThat(text)
        .contains(
            "gatun_running_sequences 0\n",
            "# TYPE gatun_generated_tokens_total counter\n",
            "gatun_http_requests_total{endpoint=\"/health\",status=\"200\"}",
            "gatun_model_requests_total{model=\"demo\"}",
            "# TYPE gatun_time_to_first_token_seconds histogram\n",
            "gatun_time_per_token_seconds_bucket{le=\"+Inf\"}",
            "gatun_request_seconds_count");
    assertThat(text.lines())
        .allMatch(line ->
            line.matches("# (HELP|TYPE) gatun_[a-z_]+ .+")
                || line.matches("gatun_[a-z_]+([{].*[}])? [0-9.E+-]+"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/chat.css", "/chat.js"})
  void thePageAsksForNothingElsewhere(String path) throws Exception {
    HttpResponse<String> response = served.get(path);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Security-Policy").orElseThrow())
        .startsWith("default-src 'self'");
    assertThat(response.body()).doesNotContain("http:", "https:", "//cdn");
  }

  @Test
  void unknownPathsAndMethodsAreRefusedInTheSameForm() throws Exception {
    HttpResponse<String> unknown = served.get("/v2/nothing");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(Served.JSON.readTree(unknown.body()).get("error").has("message")).isTrue();
    HttpResponse<String> method = served.get("/v1/chat/completions");
    assertThat(method.statusCode()).isEqualTo(405);
    assertThat(Served.JSON.readTree(method.body()).get("error").has("message")).isTrue();
  }

  @Test
  void aKeyIsAskedForEverywhereButWhereItCannotBe() throws Exception {
    ServerOptions options =
        new ServerOptions(
            "127.0.0.1", 0, "demo", "sekret", null, null, ServerOptions.Limits.DEFAULT);
    try (Served keyed = new Served(options)) {
      for (String path : List.of("/health", "/", "/chat.js")) {
        assertThat(keyed.get(path).statusCode()).as(path).isEqualTo(200);
      }
      for (String path : List.of("/v1/models", "/v1/models/demo", "/metrics")) {
        HttpResponse<String> response = keyed.get(path);
        assertThat(response.statusCode()).as(path).isEqualTo(401);
        assertThat(response.body()).contains("invalid_api_key");
      }
      assertThat(keyed.post("/v1/completions", "{").statusCode()).as("before all").isEqualTo(401);
      for (String header : List.of("Bearer wrong", "Bearer sekre", "Basic sekret", "Bearer ")) {
        assertThat(status(keyed, header)).as(header).isEqualTo(401);
      }
      assertThat(status(keyed, "Bearer sekret")).isEqualTo(200);
      assertThat(status(keyed, "bearer  sekret")).isEqualTo(200);
    }
  }

  private static int status(Served served, String authorization) throws Exception {
    HttpRequest request =
        served.request("/v1/models").header("Authorization", authorization).build();
    return served.client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
  }

  @Test
  void pagesOfOtherSitesMayNotAsk() throws Exception {
    assertThat(origin(served, "GET", "http://evil.example").statusCode()).isEqualTo(403);
    assertThat(origin(served, "GET", "null").statusCode()).isEqualTo(403);
    assertThat(origin(served, "GET", served.server.uri().toString()).statusCode()).isEqualTo(200);
    ServerOptions options =
        new ServerOptions(
            "127.0.0.1",
            0,
            "demo",
            null,
            null,
            "https://good.example",
            ServerOptions.Limits.DEFAULT);
    try (Served open = new Served(options)) {
      HttpResponse<String> good = origin(open, "GET", "https://good.example");
      assertThat(good.statusCode()).isEqualTo(200);
      assertThat(good.headers().firstValue("Access-Control-Allow-Origin"))
          .contains("https://good.example");
      assertThat(
              origin(open, "OPTIONS", "https://good.example")
                  .headers()
                  .firstValue("Access-Control-Allow-Headers"))
          .contains("Authorization, Content-Type");
      assertThat(origin(open, "OPTIONS", "https://evil.example").statusCode()).isEqualTo(403);
    }
  }

  private static HttpResponse<String> origin(Served served, String method, String origin)
      throws Exception {
    HttpRequest request =
        served
            .request("/v1/models")
            .method(method, HttpRequest.BodyPublishers.noBody())
            .header("Origin", origin)
            .build();
    return served.client.send(request, HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void anAddressInUseIsSaid() {
    ServerOptions options =
        new ServerOptions(
            "127.0.0.1",
            served.server.uri().getPort(),
            null,
            null,
            null,
            null,
            ServerOptions.Limits.DEFAULT);
    assertThatThrownBy(() -> GatunServer.open(served.model, options, null).close())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot listen");
  }
}
