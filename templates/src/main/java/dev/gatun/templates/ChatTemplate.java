package dev.gatun.templates;

import dev.gatun.models.data.ChatFormat;
import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.data.ChatPiece;
import dev.gatun.models.data.PlainChatFormat;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The chat template of a model directory, rendered as `apply_chat_template` of transformers
/// renders it. Thread-safe.
///
/// A template sees `messages`, `add_generation_prompt`, `tools` and `documents` (none unless
/// given), and those of `bos_token`, `eos_token`, `unk_token`, `sep_token`, `pad_token`,
/// `cls_token` and `mask_token` that the model has.
///
/// A rendering may take 10,000,000 steps, make 67,108,864 characters and nest 600 deep; one that
/// wants more fails. It can reach neither files nor classes.
///
/// ## Training
///
/// Of each assistant's turn is learnt what the conversation up to and with the turn has more than
/// the conversation before the turn with its generation prompt. Where the latter is not how the
/// former begins, the conversation without that prompt counts, and the turn's heading is learnt,
/// too. A turn that the template writes in another way once the conversation has gone on, as those
/// do that drop earlier thoughts, is not learnt in that place; the last turn always is. The
/// end-of-text token follows the last turn if the template writes nothing behind an answer.
public final class ChatTemplate implements ChatFormat {
  private static final Pattern REASON =
      Pattern.compile("(?:(.*?): )?found (.*), expected (.*)", Pattern.DOTALL);

  private final String name;
  private final List<Node> nodes;
  private final Map<String, String> tokens;
  private final Clock clock;
  private final boolean endsTurns;

  /// @param name for messages
  /// @param tokens `bos_token` and the like
  ChatTemplate(String name, String source, Map<String, String> tokens, Clock clock) {
    this.name = name;
    this.nodes = Parser.parse(source);
    this.tokens = Map.copyOf(tokens);
    this.clock = clock;
    this.endsTurns = endsTurns();
  }

  /// Reads the template of a model directory: `chat_template.jinja`, or else `chat_template` of
  /// `tokenizer_config.json`; where that names several, the `default` one.
  ///
  /// @param modelDirectory a Hugging Face model directory
  /// @return the template, or empty if the directory has none
  /// @throws MalformedFileException if the template does not parse or a file breaks its format
  /// @throws IOException if a file cannot be read
  public static Optional<ChatTemplate> of(Path modelDirectory) throws IOException {
    Optional<TemplateFiles> files = TemplateFiles.read(modelDirectory);
    if (files.isEmpty()) {
      return Optional.empty();
    }
    Path file = files.get().file();
    try {
      return Optional.of(
          new ChatTemplate(
              file.toString(),
              files.get().source(),
              files.get().tokens(),
              Clock.system(ZoneId.systemDefault())));
    } catch (TemplateException e) {
      throw malformed(file, e);
    }
  }

  /// Returns how conversations with a model are written: by its directory's template, or plainly
  /// where it has none.
  ///
  /// A template that cannot be read is told when a conversation comes, so that texts can be learnt
  /// without it.
  ///
  /// @param modelDirectory a Hugging Face model directory
  /// @return a [ChatTemplate] or a [PlainChatFormat], or one that throws a [TemplateException]
  /// @throws IOException if a file cannot be opened
  public static ChatFormat formatOf(Path modelDirectory) throws IOException {
    try {
      return of(modelDirectory)
          .<ChatFormat>map(template -> template)
          .orElseGet(PlainChatFormat::new);
    } catch (MalformedFileException e) {
      return new UnreadableFormat(String.valueOf(e.getMessage()));
    }
  }

  private static MalformedFileException malformed(Path file, TemplateException e) {
    Matcher reason = REASON.matcher(e.reason());
    if (!reason.matches()) {
      throw new IllegalStateException("no reason of a parser: " + e.reason());
    }
    String what = reason.group(1) == null ? "" : ", " + reason.group(1);
    MalformedFileException malformed =
        new MalformedFileException(
            file, "chat template, line " + e.line() + what, reason.group(2), reason.group(3));
    malformed.initCause(e);
    return malformed;
  }

  /// Writes a conversation out.
  ///
  /// @param messages the conversation
  /// @param addGenerationPrompt whether the heading of the assistant's next turn follows
  /// @return the text, with special tokens written out
  /// @throws TemplateException if the template refuses the conversation or fails on it
  public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
    return render(messages, addGenerationPrompt, Map.of());
  }

  /// Writes a conversation out, with further variables such as `tools` or `enable_thinking`.
  ///
  /// @param messages the conversation
  /// @param addGenerationPrompt whether the heading of the assistant's next turn follows
  /// @param more values by the names that the template reads, as [#render(Map)] takes them
  /// @return the text, with special tokens written out
  /// @throws TemplateException if the template refuses the conversation or fails on it
  public String render(
      List<ChatMessage> messages,
      boolean addGenerationPrompt,
      Map<String, ? extends @Nullable Object> more) {
    Map<String, @Nullable Object> variables = new LinkedHashMap<>(more);
    variables.put("messages", messages.stream().map(ChatTemplate::fields).toList());
    variables.put("add_generation_prompt", addGenerationPrompt);
    return render(variables);
  }

  private static Map<String, String> fields(ChatMessage message) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("role", message.role());
    fields.put("content", message.content());
    return fields;
  }

  /// Renders the template on variables, whose `messages` may have more than role and content, such
  /// as `tool_calls`.
  ///
  /// @param variables null, Boolean, Number, String, or List and Map of such, by the names that the
  ///   template reads
  /// @return the text, with special tokens written out
  /// @throws TemplateException if the template refuses the conversation or fails on it
  public String render(Map<String, ? extends @Nullable Object> variables) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>(tokens);
    all.put("tools", null);
    all.put("documents", null);
    all.put("add_generation_prompt", false);
    all.putAll(variables);
    try {
      return new Interpreter(clock).run(nodes, all);
    } catch (TemplateException e) {
      throw e.in(name);
    }
  }

  @Override
  public List<ChatPiece> pieces(List<ChatMessage> messages) {
    int last = lastAnswer(messages);
    if (last < 0) {
      return List.of();
    }
    String whole = render(messages.subList(0, last + 1), false);
    List<ChatPiece> pieces = new ArrayList<>();
    int written = 0;
    for (int i = 0; i <= last; i++) {
      if (!messages.get(i).isAssistant()) {
        continue;
      }
      String turn = i == last ? whole : earlier(messages.subList(0, i + 1), whole);
      int begin = turn.isEmpty() ? -1 : begin(messages.subList(0, i), turn);
      if (begin >= written && turn.length() > begin) {
        pieces.add(new ChatPiece(whole.substring(written, begin), false, false));
        boolean ended = i == last && !endsTurns;
        pieces.add(new ChatPiece(turn.substring(begin), true, ended));
        written = turn.length();
      } else if (i == last) {
        throw new TemplateException(
                "found a text that changes before the assistant's last turn when the turn is added,"
                    + " expected one that only goes on")
            .in(name);
      }
    }
    return pieces;
  }

  private static int lastAnswer(List<ChatMessage> messages) {
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).isAssistant()) {
        return i;
      }
    }
    return -1;
  }

  /// Returns the conversation up to an earlier turn if the whole begins with it, or nothing. The
  /// end token that some templates write behind a whole conversation does not count.
  private String earlier(List<ChatMessage> messages, String whole) {
    String turn = render(messages, false);
    if (whole.startsWith(turn)) {
      return turn;
    }
    String end = tokens.getOrDefault("eos_token", "");
    String open = turn.endsWith(end) ? turn.substring(0, turn.length() - end.length()) : turn;
    return whole.startsWith(open) ? open : "";
  }

  /// Returns where the assistant's turn begins in the text that ends with it, or -1.
  private int begin(List<ChatMessage> before, String turn) {
    String prompt = render(before, true);
    if (turn.startsWith(prompt)) {
      return prompt.length();
    }
    String plain = render(before, false);
    return turn.startsWith(plain) ? plain.length() : -1;
  }

  @Override
  public List<ChatPiece> prompt(List<ChatMessage> messages) {
    return List.of(new ChatPiece(render(messages, true), false, false));
  }

  /// {@return true: as in transformers, the template alone says whether a beginning token stands in
  /// front}
  @Override
  public boolean writesBos() {
    return true;
  }

  /// Returns whether the template writes anything behind an answer.
  private boolean endsTurns() {
    String answer = "An answer.";
    try {
      String text =
          render(
              List.of(
                  new ChatMessage("user", "A question?"),
                  new ChatMessage(ChatMessage.ASSISTANT, answer)),
              false);
      int at = text.lastIndexOf(answer);
      return at < 0 || !text.substring(at + answer.length()).isBlank();
    } catch (TemplateException e) {
      return true; // wants more than roles and contents, and will say so
    }
  }
}
