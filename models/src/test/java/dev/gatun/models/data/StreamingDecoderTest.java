package dev.gatun.models.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StreamingDecoderTest {
  private static final Tokenizer BYTES = new ByteTokenizer(false);

  @Test
  void neverGivesHalfACharacter() {
    String text = "a é 漢字 \ud83d\ude80\n".repeat(40);
    List<String> pieces = pieces(BYTES.encode(text));
    assertThat(String.join("", pieces)).isEqualTo(text);
    assertThat(pieces).noneMatch(p -> p.contains("\ufffd"));
    assertThat(pieces.subList(0, 4)).containsExactly("a", " ", "", "é");
  }

  @Test
  void leavesSpecialTokensOut() {
    assertThat(pieces(new int[] {0, 100, 1, 101, 2, 0, 102}))
        .containsExactly("", "a", "", "b", "", "", "c", "");
  }

  @Test
  void givesAnIncompleteCharacterAtTheEnd() {
    int[] ids = BYTES.encode("aé");
    assertThat(pieces(new int[] {ids[0], ids[1]})).containsExactly("a", "", "\ufffd");
  }

  private static List<String> pieces(int[] ids) {
    StreamingDecoder decoder = new StreamingDecoder(BYTES);
    List<String> pieces = new ArrayList<>();
    for (int id : ids) {
      pieces.add(decoder.next(id));
    }
    pieces.add(decoder.finish());
    return pieces;
  }
}
