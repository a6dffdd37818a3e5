package dev.gatun.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gatun.models.task.PairLayout;
import dev.gatun.models.task.QuestionRow;
import dev.gatun.models.task.QuestionRow.Answer;
import dev.gatun.models.task.QuestionWindows;
import dev.gatun.models.task.QuestionWindows.Window;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Windows of a text: those of Hugging Face's tokenizers, with the labels of transformers' run_qa.
class QuestionWindowsParityTest {
  private static final PairLayout BERT =
      new PairLayout(new int[] {1}, new int[] {2}, new int[] {2});

  @Test
  void layoutIsThatOfThePostProcessor(@TempDir Path directory) throws IOException {
    Path source = HfTokenizerTest.FIXTURES.resolve("wordpiece");
    JsonMapper mapper = new JsonMapper();
    ObjectNode json =
        (ObjectNode) mapper.readTree(Files.readString(source.resolve("tokenizer.json")));
    ObjectNode processor = json.putObject("post_processor");
    processor.put("type", "BertProcessing");
    processor.putArray("sep").add("[SEP]").add(2);
    processor.putArray("cls").add("[CLS]").add(1);
    Files.writeString(directory.resolve("tokenizer.json"), mapper.writeValueAsString(json));
    try (HfTokenizer bert = HfTokenizer.open(directory);
        HfTokenizer bare = HfTokenizer.open(HfTokenizerTest.FIXTURES.resolve("bpe"))) {
      PairLayout layout = PairLayout.of(bert);
      assertThat(layout.before()).isEqualTo(BERT.before());
      assertThat(layout.between()).isEqualTo(BERT.between());
      assertThat(layout.after()).isEqualTo(BERT.after());
      assertThatThrownBy(() -> PairLayout.of(bare))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected both with special tokens around");
    }
  }

  @Test
  void windowsAndLabelsEqualTransformers() throws IOException {
    JsonNode fixture =
        new JsonMapper()
            .readTree(Files.readString(HfTokenizerTest.FIXTURES.resolve("windows.json")));
    String context = fixture.get("context").stringValue();
    assertThat(fixture.get("cases").size()).isEqualTo(48);
    int labelled = 0;
    try (HfTokenizer tokenizer = HfTokenizer.open(HfTokenizerTest.FIXTURES.resolve("wordpiece"))) {
      for (JsonNode each : fixture.get("cases")) {
        QuestionWindows windows =
            new QuestionWindows(
                tokenizer, BERT, each.get("max_length").intValue(), each.get("stride").intValue());
        List<Window> found = windows.of(row(each, context));
        JsonNode expected = each.get("windows");
        assertThat(found).as(each.toString()).hasSize(expected.size());
        for (int i = 0; i < found.size(); i++) {
          Window window = found.get(i);
          JsonNode other = expected.get(i);
          assertThat(window.ids()).isEqualTo(ints(other.get("ids")));
          assertThat(window.contextStart()).isEqualTo(other.get("context_start").intValue());
          assertThat(new int[] {window.startLabel(), window.endLabel()})
              .isEqualTo(ints(other.get("labels")));
          labelled += window.startLabel() > 0 ? 1 : 0;
        }
      }
    }
    assertThat(labelled).isGreaterThan(30);
  }

  private static QuestionRow row(JsonNode each, String context) {
    String question = each.get("question").stringValue();
    if (each.get("answer").isNull()) {
      return new QuestionRow("q", context, question, List.of());
    }
    int start = context.offsetByCodePoints(0, each.get("start").intValue());
    String answer = each.get("answer").stringValue();
    return new QuestionRow("q", context, question, List.of(new Answer(answer, start)));
  }

  private static int[] ints(JsonNode array) {
    return array.valueStream().mapToInt(JsonNode::intValue).toArray();
  }
}
