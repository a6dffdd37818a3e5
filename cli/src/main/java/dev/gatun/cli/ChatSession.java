package dev.gatun.cli;

import dev.gatun.chat.LocalModel;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.engine.AdapterHandle;
import dev.gatun.models.engine.EngineException;
import dev.gatun.models.engine.FinishReason;
import dev.gatun.models.engine.Generation;
import dev.gatun.models.engine.GenerationEvent;
import dev.gatun.models.engine.GenerationRequest;
import dev.gatun.models.engine.Usage;
import dev.gatun.models.generate.Sampling;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A conversation: its messages so far, what answers them, and the commands between them.
final class ChatSession {
  /// The name that stands for the model without an adapter.
  static final String NO_ADAPTER = "none";

  private static final String ASSISTANT = ChatMessage.ASSISTANT;
  private static final String USER = "user";
  private static final String SYSTEM = "system";
  private static final List<String> HELP =
      List.of(
          "/clear            forget the conversation, not the system message",
          "/system TEXT      set the system message; without a text: none",
          "/adapter NAME     speak through another adapter, or none; without a name: list them",
          "/temperature X    0: the likeliest token each time",
          "/max N            tokens of an answer at most",
          "/save FILE        add the conversation to a file, as a row for finetune",
          "/stats            tokens and what they took",
          "/quit             end (or Ctrl-D)",
          "A line that ends in \\ goes on; // begins a message with a /; Ctrl-C ends an answer.");

  private final LocalModel model;
  private final ChatConsole console;
  private final List<String> stops;
  private final List<ChatMessage> messages = new ArrayList<>(); // without the system's
  private Sampling sampling;
  private @Nullable String system;
  private @Nullable AdapterHandle adapter;
  private int answers;
  private long promptTokens;
  private long cachedTokens;
  private long completionTokens;
  private long timedTokens;
  private double seconds;
  private boolean failed;

  ChatSession(LocalModel model, ChatConsole console, Sampling sampling, List<String> stops) {
    this.model = model;
    this.console = console;
    this.sampling = sampling;
    this.stops = stops;
  }

  /// Sets the system message; null or blank for none.
  void system(@Nullable String text) {
    system = text == null || text.isBlank() ? null : text;
  }

  /// Speaks through an adapter that the engine has, or through none.
  void adapter(String name) {
    AdapterHandle found = model.engine().adapter(name).orElse(null);
    if (found == null && !name.equals(NO_ADAPTER)) {
      throw new IllegalArgumentException(
          "/adapter: found %s, expected %s".formatted(name, adapterNames()));
    }
    adapter = found;
  }

  private String adapterNames() {
    List<String> names = new ArrayList<>();
    model.engine().adapters().forEach(each -> names.add(each.name()));
    names.add(NO_ADAPTER);
    return String.join(", ", names);
  }

  /// Holds the conversation to its end.
  ///
  /// @return whether each message had its answer
  boolean run() {
    for (String line = message(); line != null; line = message()) {
      if (line.isBlank()) {
        continue;
      }
      if (line.startsWith("/") && !line.startsWith("//")) {
        if (line.strip().equals("/quit")) {
          break;
        }
        try {
          command(line.strip());
        } catch (IllegalArgumentException | IOException e) {
          fail(e);
        }
      } else {
        answer(line.startsWith("//") ? line.substring(1) : line);
      }
    }
    return !failed;
  }

  private void fail(Exception e) {
    failed = true;
    console.note("gatun: " + Main.line(e));
  }

  /// Returns the next message, of several lines where each but the last ends in a backslash.
  private @Nullable String message() {
    StringBuilder all = new StringBuilder();
    String line = console.read(false);
    while (line != null && line.endsWith("\\")) {
      all.append(line, 0, line.length() - 1).append('\n');
      line = console.read(true);
    }
    return line == null && all.isEmpty() ? null : all + (line == null ? "" : line);
  }

  private void command(String line) throws IOException {
    int space = line.indexOf(' ');
    String name = space < 0 ? line : line.substring(0, space);
    String value = space < 0 ? "" : line.substring(space + 1).strip();
    switch (name) {
      case "/help" -> HELP.forEach(console::note);
      case "/clear" -> messages.clear();
      case "/system" -> system(value);
      case "/adapter" -> {
        if (value.isEmpty()) {
          String now = adapter == null ? NO_ADAPTER : adapter.name();
          console.note("adapters: " + adapterNames() + "; now: " + now);
        } else {
          adapter(value);
        }
      }
      case "/temperature" -> {
        Sampling.Choice choice = sampling.choice();
        double temperature = number(name, value);
        sampling = sampling.withChoice(temperature, choice.topK(), choice.topP(), choice.minP());
      }
      case "/max" -> sampling = sampling.withMaxNewTokens(whole(name, value));
      case "/save" -> save(value);
      case "/stats" -> stats();
      default -> throw new IllegalArgumentException(name + ": unknown; /help lists what there is");
    }
  }

  private static double number(String name, String value) {
    try {
      return Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + ": found '" + value + "', expected a number", e);
    }
  }

  private static int whole(String name, String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          name + ": found '" + value + "', expected a whole number", e);
    }
  }

  private void save(String file) throws IOException {
    if (file.isEmpty()) {
      throw new IllegalArgumentException("/save: found no file, expected one");
    }
    Files.writeString(
        Path.of(file),
        JsonOutput.text(Map.of("messages", rows())) + "\n",
        StandardCharsets.UTF_8,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
    console.note("added %d messages to %s".formatted(rows().size(), file));
  }

  private List<Map<String, String>> rows() {
    return all().stream()
        .map(message -> {
          Map<String, String> row = new LinkedHashMap<>();
          row.put("role", message.role());
          row.put("content", message.content());
          return row;
        })
        .toList();
  }

  private List<ChatMessage> all() {
    List<ChatMessage> all = new ArrayList<>();
    if (system != null) {
      all.add(new ChatMessage(SYSTEM, system));
    }
    all.addAll(messages);
    return all;
  }

  private void stats() {
    int context = messages.isEmpty() ? 0 : model.prompt(all()).length;
    console.note(
        "answers %d, context %,d of %,d tokens, read %,d (%,d of them kept from before), written %,d"
                .formatted(
                    answers,
                    context,
                    model.engine().maxTokens(),
                    promptTokens,
                    cachedTokens,
                    completionTokens)
            + ", %.1f tokens/s".formatted(rate()));
  }

  private double rate() {
    return seconds == 0 ? 0 : timedTokens / seconds;
  }

  private void answer(String message) {
    messages.add(new ChatMessage(USER, message));
    StringBuilder text = new StringBuilder();
    try {
      int[] prompt = fitting();
      GenerationRequest request =
          GenerationRequest.of(prompt, sampling.withSeed(sampling.seed() + answers))
              .withAdapter(adapter)
              .withStops(stops, false);
      try (Generation generation = model.engine().submit(request)) {
        console.onInterrupt(generation::cancel);
        console.note(follow(generation, text));
      } finally {
        console.onInterrupt(() -> {});
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (EngineException | IllegalArgumentException e) {
      if (!text.isEmpty()) {
        console.endAnswer();
      }
      fail(e);
    }
    if (text.isEmpty()) {
      messages.removeLast(); // no answer, no turn
    } else {
      messages.add(new ChatMessage(ASSISTANT, text.toString()));
    }
  }

  /// Writes an answer as it comes and returns a line of figures about it.
  private String follow(Generation generation, StringBuilder text) throws InterruptedException {
    FinishReason reason = FinishReason.STOP;
    long first = 0;
    long last = 0;
    while (true) {
      switch (generation.take()) {
        case GenerationEvent.Text piece -> {
          last = System.nanoTime();
          first = first == 0 ? last : first;
          text.append(piece.text());
          console.answer(piece.text());
        }
        case GenerationEvent.ChoiceEnded ended -> reason = ended.reason();
        case GenerationEvent.Ended ended -> {
          console.endAnswer();
          return counted(ended.usage(), reason, (last - first) / 1e9);
        }
      }
    }
  }

  private String counted(Usage usage, FinishReason reason, double time) {
    answers++;
    promptTokens += usage.promptTokens();
    cachedTokens += usage.cachedTokens();
    completionTokens += usage.completionTokens();
    int timed = Math.max(0, usage.completionTokens() - 1); // the first is the prompt's
    timedTokens += timed;
    seconds += time;
    return String.format(
        Locale.ROOT,
        "%d tokens%s, %s",
        usage.completionTokens(),
        time > 0 ? String.format(Locale.ROOT, ", %.1f tokens/s", timed / time) : "",
        reason.name().toLowerCase(Locale.ROOT));
  }

  /// Returns the conversation's ids, its oldest turns dropped until an answer has room.
  private int[] fitting() {
    int most = model.engine().maxTokens();
    int room = Math.min(sampling.maxNewTokens(), Math.max(1, most / 4));
    int dropped = 0;
    int[] prompt = model.prompt(all());
    while (prompt.length + room > most && messages.size() > 1) {
      do { // up to the next message of the user
        messages.removeFirst();
      } while (messages.size() > 1 && !messages.getFirst().role().equals(USER));
      dropped++;
      prompt = model.prompt(all());
    }
    if (dropped > 0) {
      console.note(
          "the context of %,d tokens is full: the oldest %s left out"
              .formatted(most, dropped == 1 ? "turn was" : dropped + " turns were"));
    }
    if (prompt.length > most) {
      throw new IllegalArgumentException(
          "message: found %,d tokens, expected at most %,d".formatted(prompt.length, most));
    }
    return prompt;
  }

  /// Returns what `--json` prints.
  Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("messages", rows());
    fields.put("answers", answers);
    fields.put("prompt_tokens", promptTokens);
    fields.put("cached_tokens", cachedTokens);
    fields.put("completion_tokens", completionTokens);
    fields.put("tokens_per_second", rate());
    return fields;
  }
}
