package dev.gatun.models.constrain;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Random grammars beside a plain recursive reader that keeps every place where a part may end.
class RandomGrammarTest {
  private static final int RULES = 4;

  /// A part of a rule: as GBNF, and as a reader of a text.
  private interface Part {
    String gbnf();

    BitSet ends(Reading reading, int from);
  }

  private record Literal(String text) implements Part {
    @Override
    public String gbnf() {
      return "\"" + text + "\"";
    }

    @Override
    public BitSet ends(Reading reading, int from) {
      BitSet ends = new BitSet();
      ends.set(from + text.length(), reading.text.startsWith(text, from));
      return ends;
    }
  }

  private record Rule(int number) implements Part {
    @Override
    public String gbnf() {
      return "r" + number;
    }

    @Override
    public BitSet ends(Reading reading, int from) {
      long key = 100L * number + from;
      BitSet known = reading.known.get(key);
      if (known == null) {
        known = reading.rules.get(number).ends(reading, from);
        reading.known.put(key, known);
      }
      return known;
    }
  }

  private record Sequence(List<Part> parts) implements Part {
    @Override
    public String gbnf() {
      return parts.isEmpty()
          ? "\"\""
          : parts.stream().map(Part::gbnf).collect(Collectors.joining(" "));
    }

    @Override
    public BitSet ends(Reading reading, int from) {
      BitSet at = new BitSet();
      at.set(from);
      for (Part part : parts) {
        BitSet next = new BitSet();
        at.stream().forEach(place -> next.or(part.ends(reading, place)));
        at = next;
      }
      return at;
    }
  }

  private record Choice(List<Part> parts) implements Part {
    @Override
    public String gbnf() {
      return parts.stream().map(Part::gbnf).collect(Collectors.joining(" | ", "(", ")"));
    }

    @Override
    public BitSet ends(Reading reading, int from) {
      BitSet ends = new BitSet();
      parts.forEach(part -> ends.or(part.ends(reading, from)));
      return ends;
    }
  }

  private record Repeated(Part part, int min, int max, String sign) implements Part {
    @Override
    public String gbnf() {
      return "(" + part.gbnf() + ")" + sign;
    }

    @Override
    public BitSet ends(Reading reading, int from) {
      BitSet all = new BitSet();
      BitSet at = new BitSet();
      at.set(from);
      for (int count = 0; count <= max && !at.isEmpty(); count++) {
        if (count >= min) {
          all.or(at);
        }
        BitSet next = new BitSet();
        at.stream().forEach(place -> next.or(part.ends(reading, place)));
        at = next;
      }
      return all;
    }
  }

  private record Reading(List<Part> rules, String text, Map<Long, BitSet> known) {}

  private static Part random(Random random, int depth) {
    return switch (random.nextInt(depth > 2 ? 4 : 8)) {
      case 0, 1 -> new Literal(random.nextBoolean() ? "a" : "b");
      case 2 -> new Rule(random.nextInt(RULES));
      case 3 -> new Literal(List.of("ab", "", "ba").get(random.nextInt(3)));
      case 4 -> new Choice(IntStream.range(0, 2).mapToObj(i -> random(random, depth + 1)).toList());
      case 5 -> {
        // more than the texts are long is for ever
        Part part = random(random, depth + 1);
        yield switch (random.nextInt(4)) {
          case 0 -> new Repeated(part, 0, 9, "*");
          case 1 -> new Repeated(part, 1, 9, "+");
          case 2 -> new Repeated(part, 0, 1, "?");
          default -> new Repeated(part, 1, 2, "{1,2}");
        };
      }
      default ->
          new Sequence(
              IntStream.range(0, random.nextInt(4))
                  .mapToObj(i -> random(random, depth + 1))
                  .toList());
    };
  }

  private static @Nullable Grammar parse(String gbnf) {
    try {
      return Grammar.parse(gbnf);
    } catch (IllegalArgumentException e) {
      assertThat(e.getMessage()).containsAnyOf("left recursion", "no finite text");
      return null;
    }
  }

  @Test
  void takesWhatAPlainReaderTakes() {
    List<String> texts = new ArrayList<>();
    for (int length = 0; length <= 7; length++) {
      for (int bits = 0; bits < 1 << length; bits++) {
        String digits = Integer.toBinaryString(1 << length | bits).substring(1);
        texts.add(digits.replace('0', 'a').replace('1', 'b'));
      }
    }
    int grammars = 0;
    int taken = 0;
    for (int seed = 0; grammars < 1000; seed++) {
      Random random = new Random(seed);
      List<Part> rules =
          IntStream.range(0, RULES)
              .<Part>mapToObj(i -> new Choice(List.of(random(random, 0), random(random, 0))))
              .toList();
      String gbnf =
          "root ::= r0\n"
              + IntStream.range(0, RULES)
                  .mapToObj(i -> "r" + i + " ::= " + rules.get(i).gbnf() + "\n")
                  .collect(Collectors.joining());
      Grammar grammar = parse(gbnf);
      if (grammar != null) {
        grammars++;
        for (String text : texts) {
          Reading reading = new Reading(rules, text, new HashMap<>());
          boolean expected = new Rule(0).ends(reading, 0).get(text.length());
          taken += expected ? 1 : 0;
          assertThat(grammar.matches(text)).as("%s\non %s", gbnf, text).isEqualTo(expected);
        }
      }
    }
    assertThat(taken).isGreaterThan(10_000);
  }
}
