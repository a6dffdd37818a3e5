package dev.gatun.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two thousand bodies for each kind of model that were good once: none makes the server fail or
/// hang.
class FuzzTest {
  private static final long SEED = 20261127;
  private static final int BODIES = 2000;

  private record Good(String path, String body) {}

  private static final List<Good> GOOD =
      List.of(
          new Good(
              "/v1/chat/completions",
              """
              {"model":"demo","messages":[{"role":"system","content":"be brief"},{"role":"user","content":\
              [{"type":"text","text":"public"}]}],"max_tokens":4,"temperature":0.7,"top_p":0.9,"n":2,\
              "stream":true,"stream_options":{"include_usage":true},"logprobs":true,"top_logprobs":2,\
              "stop":["x","y"],"response_format":{"type":"text"},"logit_bias":{"5":-1.5}}\
              """),
          new Good(
              "/v1/completions",
              """
              {"model":"demo","prompt":["int a","é\\u00e9\\ud83d\\ude00"],"max_tokens":3,"echo":true,"seed":-3,\
              "presence_penalty":0.5,"frequency_penalty":-0.5,"repetition_penalty":1.1,"min_p":0.05,\
              "top_k":40,"stop":"\\n","ignore_eos":false,"user":"me"}\
              """),
          new Good(
              "/v1/completions",
              """
              {"model":"demo","prompt":[[1,2,3],[40,50]],"max_tokens":2,"logprobs":1,"best_of":1}\
              """),
          new Good(
              "/v1/completions",
              """
              {"model":"kept","prompt":[7,8,9],"max_tokens":2,"ensemble":"lora-dropout:p=0.2,n=3","ensemble_seed":5,\
              "average":"logits"}\
              """),
          new Good(
              "/v1/embeddings",
              """
              {"model":"demo","input":["a","b"],"encoding_format":"base64"}\
              """),
          new Good(
              "/v1/load_lora_adapter",
              """
              {"lora_name":"one","lora_path":"one","load_inplace":true}\
              """),
          new Good("/v1/unload_lora_adapter", "{\"lora_name\":\"other\"}"));
  private static final List<Good> GOOD_FOR_ENCODERS =
      List.of(
          new Good(
              "/classify",
              """
              {"model":"demo","input":["the cat is good",["the cat","a dog is here"],"é\\u00e9"],\
              "truncate_prompt_tokens":-1,"user":"me"}\
              """),
          new Good("/classify", "{\"model\":\"one\",\"input\":\"the cat\"}"),
          new Good(
              "/v1/embeddings",
              """
              {"model":"demo","input":[[8,6,10],[4]],"encoding_format":"float",\
              "truncate_prompt_tokens":-1}\
              """),
          new Good(
              "/v1/embeddings", "{\"input\":[\"the cat\",\"\"],\"encoding_format\":\"base64\"}"),
          new Good(
              "/v1/load_lora_adapter",
              """
              {"lora_name":"one","lora_path":"one","load_inplace":true}\
              """),
          new Good("/v1/unload_lora_adapter", "{\"lora_name\":\"other\"}"));
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "-1",
          "0",
          "1e308",
          "1e999",
          "-0.0",
          "9223372036854775808",
          "2147483648",
          "1e-400",
          "\"\"",
          "\"\\u0000\"",
          "\"\\udc00\"",
          "[]",
          "{}",
          "[[[[]]]]",
          "[null]",
          "\"demo\"",
          "\"../../etc\"",
          "{\"a\":{}}",
          "99999999999999999999999999999999999999999999",
          "NaN",
          "'a'");

  @TempDir private static Path folder;

  private static byte[] mutated(String good, Random random) {
    StringBuilder text = new StringBuilder(good);
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      mutate(text, random);
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(4) == 0 && bytes.length > 0) { // what is no UTF-8, perhaps
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      int at = random.nextInt(bytes.length);
      byte[] noise = new byte[1 + random.nextInt(6)];
      random.nextBytes(noise);
      all.write(bytes, 0, at);
      all.writeBytes(noise);
      all.write(bytes, at, bytes.length - at);
      bytes = all.toByteArray();
    }
    return bytes;
  }

  private static void mutate(StringBuilder text, Random random) {
    int at = random.nextInt(text.length() + 1);
    int end = Math.min(text.length(), at + 1 + random.nextInt(12));
    switch (random.nextInt(7)) {
      case 0 -> text.setLength(at);
      case 1 -> text.delete(at, end);
      case 2 -> text.insert(at, text.substring(at, end));
      case 3 -> text.insert(at, (char) random.nextInt(0x3000));
      case 4 -> {
        int depth = 1 << random.nextInt(12);
        text.insert(at, "[".repeat(depth) + "]".repeat(depth));
      }
      default -> { // another value behind a key
        int colon = text.indexOf(":", at);
        int comma = colon < 0 ? -1 : text.indexOf(",", colon);
        if (comma > 0) {
          text.replace(colon + 1, comma, VALUES.get(random.nextInt(VALUES.size())));
        }
      }
    }
  }

  @Test
  void noBodyMakesTheServerFail() throws Exception {
    Served.makeAdapter(folder.resolve("one"), 1);
    // 8 pages: no text runs for long
    try (Served served =
        new Served(
            Served.folder(folder),
            Served.ENGINE.withCacheBytes(8 * 49_152).withQueue(4096),
            (texts, adapter, cut) ->
                new Embedder.Embeddings(texts.stream().map(text -> new float[2]).toList(), 1))) {
      served.model.engine().load("kept", folder.resolve("one")); // no body names it to load it
      fuzz(served, GOOD);
      served.awaitIdle();
      assertThat(served.post("/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":2}").statusCode())
          .isEqualTo(200);
      assertThat(served.model.engine().stats().failures()).isZero();
    }
  }

  @Test
  void noBodyMakesAnEncodersServerFail(@TempDir Path temp) throws Exception {
    Path model = ServedEncoder.directory(temp.resolve("model"), "roberta");
    Path adapters = temp.resolve("adapters");
    ServedEncoder.adapter(adapters.resolve("one"), "default");
    try (ServedEncoder served = ServedEncoder.open(model, Served.folder(adapters), null)) {
      fuzz(served, GOOD_FOR_ENCODERS);
      assertThat(served.post("/classify", "{\"input\":\"the cat\"}").statusCode()).isEqualTo(200);
    }
  }

  private static void fuzz(Client served, List<Good> goods) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      Random random = new Random(SEED);
      List<Future<Integer>> all = new ArrayList<>();
      List<String> bodies = new ArrayList<>();
      for (int i = 0; i < BODIES; i++) {
        Good good = goods.get(i % goods.size());
        byte[] body = mutated(good.body(), random);
        String path = good.path();
        bodies.add(path + " " + new String(body, StandardCharsets.ISO_8859_1));
        all.add(threads.submit(() -> status(served, path, body)));
      }
      Map<Integer, Integer> statuses = new TreeMap<>();
      for (int i = 0; i < BODIES; i++) {
        int status = all.get(i).get();
        statuses.merge(status, 1, Integer::sum);
        assertThat(status).as("body %d of seed %d: %s", i, SEED, bodies.get(i)).isLessThan(500);
      }
      assertThat(statuses).containsKeys(200, 400);
      assertThat(statuses.get(200)).as("some are still good").isGreaterThan(50);
    }
  }

  private static int status(Client served, String path, byte[] body) throws Exception {
    HttpRequest request =
        served.request(path).POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
    return served.client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
  }
}
