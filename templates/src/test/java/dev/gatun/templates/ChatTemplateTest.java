package dev.gatun.templates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.data.ChatMessage;
import dev.gatun.models.data.ChatPiece;
import dev.gatun.runtime.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
  private static final String CHATML =
      """
      {% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}\
      {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
      """;

  @TempDir Path directory;

  private void write(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }

  private ChatTemplate read() throws IOException {
    return ChatTemplate.of(directory).orElseThrow();
  }

  private static ChatTemplate template(String source) {
    return new ChatTemplate(
        "test", source, Map.of("bos_token", "<s>", "eos_token", "</s>"), Clock.systemUTC());
  }

  private static ChatMessage says(String role, String content) {
    return new ChatMessage(role, content);
  }

  private static List<ChatMessage> turns() {
    return List.of(
        says("user", "a"), says("assistant", "b"), says("user", "c"), says("assistant", "d"));
  }

  private static String joined(List<ChatPiece> pieces) {
    StringBuilder text = new StringBuilder();
    pieces.forEach(piece -> text.append(piece.text()));
    return text.toString();
  }

  @Test
  void aDirectoryMayHaveNone() throws IOException {
    assertThat(ChatTemplate.of(directory)).isEmpty();
    write("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"chat_template\": null}");
    assertThat(ChatTemplate.of(directory)).isEmpty();
  }

  @Test
  void theTemplateIsAStringOrTheDefaultOfSeveral() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": \"one\"}");
    assertThat(read().render(turns(), false)).isEqualTo("one");
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"x\"},"
            + " {\"name\": \"default\", \"template\": \"two\"}]}");
    assertThat(read().render(turns(), false)).isEqualTo("two");
    write("tokenizer_config.json", "{\"chat_template\": {\"rag\": \"x\", \"default\": \"three\"}}");
    assertThat(read().render(turns(), false)).isEqualTo("three");
    write("chat_template.jinja", "four\n");
    assertThat(read().render(turns(), false)).isEqualTo("four");
  }

  @Test
  void aDirectoryWithoutADefaultOrWithAnotherTypeIsRefused() throws IOException {
    write("tokenizer_config.json", "{\"chat_template\": {\"rag\": \"x\"}}");
    assertThatThrownBy(this::read)
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining(
            "chat_template: found an object without a default, expected a string");
    write("tokenizer_config.json", "{\"chat_template\": 3}");
    assertThatThrownBy(this::read)
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("chat_template: found the number 3, expected a string");
    write("tokenizer_config.json", "{\"chat_template\": \"x\", \"eos_token\": 5}");
    assertThatThrownBy(this::read)
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("eos_token: found the number 5, expected a token");
  }

  @Test
  void aTemplateThatDoesNotParseIsToldByItsLine() throws IOException {
    write("chat_template.jinja", "a\n{% if x %}\n{{ y | nosuch }}");
    assertThatThrownBy(this::read)
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining(
            "chat_template.jinja: chat template, line 3: found filter nosuch, expected one of");
    write("chat_template.jinja", "a\n{% if x %}\n\n");
    assertThatThrownBy(this::read)
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("found the end of the template, expected one of");
    write("chat_template.jinja", "{{ 'a");
    assertThatThrownBy(this::read)
        .isInstanceOf(MalformedFileException.class)
        .hasMessageContaining("line 1, string: found no end, expected '");
  }

  @Test
  void tokensAreStringsOrObjectsAndMayBeMissing() throws IOException {
    write(
        "chat_template.jinja",
        "{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ pad_token is defined }}|{{ unk_token }}");
    write(
        "tokenizer_config.json",
        "{\"bos_token\": {\"content\": \"<s>\", \"lstrip\": false}, \"eos_token\": \"</s>\","
            + " \"pad_token\": null}");
    assertThat(read().render(turns(), false)).isEqualTo("<s>|</s>||False|");
    write("special_tokens_map.json", "{\"unk_token\": \"<unk>\", \"bos_token\": \"no\"}");
    assertThat(read().render(turns(), false)).isEqualTo("<s>|</s>||False|<unk>");
  }

  @Test
  void furtherVariablesAndRawMessagesReachTheTemplate() {
    ChatTemplate template =
        template(
            "{% if tools %}{{ tools | tojson }}{% endif %}{{ think }}{{ messages[0].calls }}"
                + "{{ documents is none }}{{ add_generation_prompt }}");
    assertThat(
            template.render(turns(), true, Map.of("think", 1, "tools", List.of(Map.of("a", 2.5f)))))
        .isEqualTo("[{\"a\": 2.5}]1TrueTrue");
    assertThat(
            template.render(
                Map.of("messages", List.of(Map.of("role", "user", "calls", List.of(true))))))
        .isEqualTo("[True]TrueFalse");
  }

  @Test
  void onlyTheAssistantsTurnsAreTrainedAndTheTextIsTheRenderedOne() {
    ChatTemplate template = template(CHATML);
    List<ChatPiece> pieces = template.pieces(turns());
    assertThat(pieces)
        .containsExactly(
            new ChatPiece("<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n", false, false),
            new ChatPiece("b<|im_end|>\n", true, false),
            new ChatPiece("<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n", false, false),
            new ChatPiece("d<|im_end|>\n", true, false));
    assertThat(joined(pieces)).isEqualTo(template.render(turns(), false));
    assertThat(template.prompt(turns().subList(0, 3)))
        .containsExactly(new ChatPiece(template.render(turns().subList(0, 3), true), false, false));
    assertThat(template.writesBos()).isTrue();
    assertThat(template.pieces(List.of(says("user", "a")))).isEmpty();
    assertThat(joined(template.pieces(turns().subList(0, 3))))
        .isEqualTo(template.render(turns().subList(0, 2), false));
  }

  @Test
  void theEndTokenIsAddedOnceAndOnlyWhereTheTemplateWritesNoEnd() {
    String open = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n\n{% endfor %}";
    assertThat(template(open).pieces(turns()).stream().map(ChatPiece::ended))
        .containsExactly(false, false, false, true);
    String ended = "{% for m in messages %}{{ m.role }}: {{ m.content + eos_token }}{% endfor %}";
    assertThat(template(ended).pieces(turns())).noneMatch(ChatPiece::ended);
    assertThat(template(ended).pieces(List.of(says("user", "a"), says("assistant", ""))).getLast())
        .isEqualTo(new ChatPiece("assistant: </s>", true, false));
  }

  @Test
  void aPromptThatTheTurnDoesNotBeginWithMakesTheHeadingLearnt() {
    ChatTemplate template =
        template(
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}"
                + "{% if add_generation_prompt %}<assistant><think>{% endif %}");
    assertThat(template.pieces(turns().subList(0, 2)))
        .containsExactly(
            new ChatPiece("<user>a</s>", false, false),
            new ChatPiece("<assistant>b</s>", true, false));
  }

  @Test
  void aTurnThatIsLaterWrittenOtherwiseIsLearntAsTheLastOnly() {
    ChatTemplate template =
        template(
            "{% for m in messages %}<{{ m.role }}>{% if loop.last and m.role == 'assistant' %}"
                + "<think></think>{% endif %}{{ m.content }}</>{% endfor %}"
                + "{% if add_generation_prompt %}<assistant>{% endif %}");
    assertThat(template.pieces(turns()))
        .containsExactly(
            new ChatPiece("<user>a</><assistant>b</><user>c</><assistant>", false, false),
            new ChatPiece("<think></think>d</>", true, false));
  }

  @Test
  void theEndBehindTheWholeConversationIsNoneOfAnEarlierTurn() {
    ChatTemplate template =
        template(
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}<|end|>{% endfor %}"
                + "{{ '<assistant>' if add_generation_prompt else eos_token }}");
    assertThat(template.pieces(turns()))
        .extracting(ChatPiece::text)
        .containsExactly(
            "<user>a<|end|><assistant>", "b<|end|>", "<user>c<|end|><assistant>", "d<|end|></s>");
  }

  @Test
  void aTextThatChangesBeforeTheLastTurnIsRefused() {
    ChatTemplate template = template("{{ messages | length }}{{ messages[-1].content }}");
    assertThatThrownBy(() -> template.pieces(turns()))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("test: found a text that changes before the assistant's last turn");
  }
}
