import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Mixed load on `gatun serve`: right answers, cancels, disconnects, bodies that are too large or no
/// JSON, unknown models, adapters that come and go. Fails on a wrong answer, a 5xx, a dead server or
/// memory that grows.
///
///     java soak/Serve.java [MINUTES] [CLIENTS]      (default: 30 minutes, 12 clients; JDK 25)
public final class Serve {
  private static final Pattern TEXT = Pattern.compile("\"text\":(\"(?:[^\"\\\\]|\\\\.)*\")");
  private static final List<String> STARTS =
      List.of("import java.", "public class ", "/** Returns ", "for (int i", "if (name == null", "private static final ", "@Override ",
          "return new ", "throw new Illegal", "package com.", "String text = ", "List<Integer> ");
  private static final double MOST_GROWTH = 1.05;

  private final HttpClient http = HttpClient.newHttpClient();
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> counts = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Double> seconds = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> faults = new ConcurrentLinkedQueue<>();
  private final Path adapters;
  private final String url;

  private Serve(Path adapters, String url) {
    this.adapters = adapters;
    this.url = url;
  }

  public static void main(String[] args) throws Exception {
    double minutes = args.length > 0 ? Double.parseDouble(args[0]) : 30;
    int clients = args.length > 1 ? Integer.parseInt(args[1]) : 12;
    Path adapters = Files.createTempDirectory("gatun-soak");
    for (int i = 0; i < 3; i++) {
      run("./gatun", "finetune", "--steps", "4", "--seed", "" + i, "--rank", "" + (4 << i), "--lr", "5e-3",
          "--out", adapters.resolve("run" + i).toString());
      Files.move(adapters.resolve("run" + i).resolve("adapter"), adapters.resolve("a" + i));
    }
    Process server =
        new ProcessBuilder("./gatun", "serve", "--port", "0", "--json", "--adapters", adapters.toString(),
                "--adapter", "a0=" + adapters.resolve("a0"), "--adapter", "a1=" + adapters.resolve("a1"))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader out = new BufferedReader(new InputStreamReader(server.getInputStream()));
    String line = out.readLine();
    Matcher found = Pattern.compile("\"url\"\\s*:\\s*\"([^\"]+)\"").matcher(String.valueOf(line));
    if (!found.find()) {
      throw new IllegalStateException("serve: found " + line + ", expected a url");
    }
    boolean good = false;
    try {
      good = new Serve(adapters, found.group(1)).soak(server, minutes, clients);
    } finally {
      server.destroy();
      good &= server.waitFor(30, java.util.concurrent.TimeUnit.SECONDS);
      server.destroyForcibly();
    }
    System.exit(good ? 0 : 1);
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IllegalStateException(String.join(" ", command) + ":\n" + text);
    }
  }

  private boolean soak(Process server, double minutes, int clients) throws Exception {
    for (String model : List.of("model", "a0", "a1")) { // each alone, before anything else
      for (int i = 0; i < STARTS.size(); i++) {
        answers.put(model + i, text(complete(model, i)));
      }
    }
    if (answers.values().stream().distinct().count() < STARTS.size()) {
      throw new IllegalStateException("soak: the answers hardly differ: " + answers);
    }
    long end = System.nanoTime() + (long) (minutes * 60e9);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      int seed = i;
      threads.add(Thread.ofVirtual().start(() -> client(new Random(seed), end)));
    }
    long settled = 0;
    long begun = System.nanoTime();
    while (System.nanoTime() < end) {
      Thread.sleep(Math.min(20_000, Math.max(1, (end - System.nanoTime()) / 1_000_000)));
      double done = (System.nanoTime() - begun) / 60e9;
      long now = resident(server);
      if (settled == 0 && done > minutes / 3) {
        settled = now; // what the JVM compiles and caches is there by now
      }
      System.err.printf("%.1f min, %d MiB resident, %s, %d faults%n", done, now >> 20, new TreeMap<>(counts), faults.size());
    }
    for (Thread thread : threads) {
      thread.join();
    }
    long last = resident(server);
    double[] all = seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    HttpResponse<String> health = send(HttpRequest.newBuilder(URI.create(url + "/health")).GET());
    System.out.printf(
        "%.1f minutes, %d clients: %d answers right, p50 %.0f ms, p99 %.0f ms; %s; %d MiB resident after a third, %d at the end; %d faults%n",
        minutes, clients, all.length, 1e3 * all[all.length / 2], 1e3 * all[all.length * 99 / 100],
        new TreeMap<>(counts), settled >> 20, last >> 20, faults.size());
    faults.stream().limit(10).forEach(System.out::println);
    return faults.isEmpty() && health.statusCode() == 200 && last <= MOST_GROWTH * settled;
  }

  private static long resident(Process server) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", "" + server.pid(), "status"))) {
      if (line.startsWith("VmRSS:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IllegalStateException("soak: the server is gone");
  }

  private void client(Random random, long end) {
    while (System.nanoTime() < end) {
      String kind = List.of("answer", "answer", "answer", "answer", "answer", "cancel", "malformed", "large", "unknown", "churn", "embed", "schema")
          .get(random.nextInt(12));
      try {
        switch (kind) {
          case "answer" -> answer(random);
          case "cancel" -> cancel(random);
          case "malformed" -> expect(post("/v1/completions", malformed(random)), 400);
          case "large" -> expect(post("/v1/completions", "{\"prompt\":\"" + "x".repeat(12 << 20) + "\"}"), 413);
          case "unknown" -> expect(post("/v1/completions", "{\"model\":\"nobody\",\"prompt\":\"x\"}"), 404);
          case "churn" -> churn(random);
          case "embed" -> expect(post("/v1/embeddings", "{\"input\":[\"int x\",\"class\"]}"), 200);
          default -> schema(random);
        }
        counts.computeIfAbsent(kind, key -> new AtomicInteger()).incrementAndGet();
      } catch (IOException | RuntimeException e) {
        if (!kind.equals("large") || !(e instanceof IOException)) { // the server may close before it has read all
          faults.add(kind + ": " + e);
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void answer(Random random) throws IOException, InterruptedException {
    String model = List.of("model", "a0", "a1").get(random.nextInt(3));
    int prompt = random.nextInt(STARTS.size());
    long start = System.nanoTime();
    HttpResponse<String> response = complete(model, prompt);
    if (response.statusCode() == 429) {
      return;
    }
    seconds.add((System.nanoTime() - start) / 1e9);
    expect(response, 200);
    String found = text(response);
    if (!found.equals(answers.get(model + prompt))) {
      faults.add("wrong answer: " + model + " " + prompt + ": " + found + ", expected " + answers.get(model + prompt));
    }
  }

  private HttpResponse<String> complete(String model, int prompt) throws IOException, InterruptedException {
    String text = STARTS.get(prompt);
    return post("/v1/completions",
        "{\"model\":\"%s\",\"prompt\":\"%s\",\"max_tokens\":%d,\"temperature\":0,\"ignore_eos\":true}".formatted(model, text, 12 + 3 * prompt));
  }

  private static String text(HttpResponse<String> response) {
    Matcher found = TEXT.matcher(response.body());
    if (!found.find()) {
      throw new IllegalStateException("no text: " + response.statusCode() + " " + response.body());
    }
    return found.group(1);
  }

  /// Reads a little of a stream and leaves.
  private void cancel(Random random) throws IOException, InterruptedException {
    String body = "{\"prompt\":\"import java.\",\"max_tokens\":400,\"stream\":true,\"n\":%d}".formatted(1 + random.nextInt(3));
    HttpResponse<InputStream> response =
        http.send(request("/v1/completions", body).build(), HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream stream = response.body()) {
      stream.readNBytes(random.nextInt(900));
    }
    if (response.statusCode() != 200 && response.statusCode() != 429) {
      faults.add("cancel: " + response.statusCode());
    }
  }

  private static String malformed(Random random) {
    return List.of("{", "[]", "{\"prompt\":7}", "{\"prompt\":\"x\",\"temperature\":\"hot\"}", "\u0000", "{\"prompt\":\"x\",\"n\":-1}",
            "{\"prompt\":\"x\",\"max_tokens\":1e99}", "{\"prompt\":[[99999999]]}", "[".repeat(5000))
        .get(random.nextInt(9));
  }

  private void churn(Random random) throws IOException, InterruptedException {
    String name = "t" + random.nextInt(4);
    HttpResponse<String> loaded =
        post("/v1/load_lora_adapter",
            "{\"lora_name\":\"%s\",\"lora_path\":\"%s\"}".formatted(name, adapters.resolve("a" + random.nextInt(3))));
    HttpResponse<String> used = post("/v1/completions", "{\"model\":\"%s\",\"prompt\":\"x\",\"max_tokens\":4}".formatted(name));
    HttpResponse<String> unloaded = post("/v1/unload_lora_adapter", "{\"lora_name\":\"%s\"}".formatted(name));
    for (HttpResponse<String> each : List.of(loaded, used, unloaded)) { // others have the same names
      if (each.statusCode() >= 500) {
        faults.add("churn: " + each.statusCode() + " " + each.body());
      }
    }
  }

  private void schema(Random random) throws IOException, InterruptedException {
    HttpResponse<String> response =
        post("/v1/completions",
            "{\"prompt\":\"x\",\"max_tokens\":60,\"seed\":%d,\"guided_choice\":[\"yes\",\"no\",\"perhaps\"]}".formatted(random.nextInt()));
    if (response.statusCode() != 429) {
      expect(response, 200);
      if (!List.of("\"yes\"", "\"no\"", "\"perhaps\"").contains(text(response))) {
        faults.add("schema: " + response.body());
      }
    }
  }

  private HttpRequest.Builder request(String path, String body) {
    return HttpRequest.newBuilder(URI.create(url + path))
        .timeout(Duration.ofSeconds(120))
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  private HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
    return send(request(path, body));
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private void expect(HttpResponse<String> response, int... expected) {
    if (response.statusCode() != 429 && Arrays.stream(expected).noneMatch(each -> each == response.statusCode())) {
      faults.add("found %d, expected %s: %s".formatted(response.statusCode(), Arrays.toString(expected), response.body()));
    }
  }
}
