package dev.gatun.models.constrain;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a text must look like, for [GrammarConstraint]. Immutable but for what it keeps to be fast;
/// thread-safe. Make it once for many texts: its constraints share what they find out.
///
/// All factories take input from strangers: they refuse what is malformed, too large or not
/// supported with an [IllegalArgumentException] whose message is one line, and their work and
/// memory are bounded (some 10 MB for the largest grammar, 30 MB more while it is in use).
public final class Grammar {
  private static final String ROOT = "";
  private static final String ROOT_BEHIND_BLANK = " ";
  private static final int MAX_LENGTH = 1 << 20;

  private final Machine machine;

  private Grammar(String kind, Map<String, Expr> rules, Expr root) {
    Map<String, Expr> all = new HashMap<>(rules);
    Map<String, Expr> ordered = new LinkedHashMap<>();
    ordered.put(ROOT, root);
    ordered.put(ROOT_BEHIND_BLANK, Expr.seq(Expr.optional(Expr.text(" ")), new Expr.Ref(ROOT)));
    ordered.putAll(all);
    this.machine = new Machine(NetworkBuilder.build(kind, ordered, ROOT, ROOT_BEHIND_BLANK), 2);
  }

  /// Reads a grammar in llama.cpp's GBNF; the text is what its rule `root` says.
  ///
  /// | written | takes |
  /// |---|---|
  /// | `name ::= ...` | a rule; it ends with its line, outside of parentheses and unless a <code>&#124;</code> follows |
  /// | `"text"`, `[a-z]`, `[^"]`, `.` | a text; a character that is of a set, is not, is any |
  /// | `\n` `\r` `\t` `\\` `\"` `\[` `\]` `\^` `\-`; `x`, `u`, `U` behind a backslash with 2, 4, 8 digits | escapes in both |
  /// | `( )`, <code>&#124;</code>, `*`, `+`, `?`, `{m}`, `{m,}`, `{m,n}` | groups, alternatives, repetitions |
  /// | `# ...` | a comment |
  ///
  /// A rule may not call itself before it takes a character, and must be able to end. Tokens by
  /// number or name (`<[1]>`) are refused.
  ///
  /// @param gbnf the rules
  /// @return the grammar
  /// @throws IllegalArgumentException if it is malformed or too large
  public static Grammar parse(String gbnf) {
    checkLength("grammar", gbnf);
    Map<String, Expr> rules = GbnfParser.parse(gbnf);
    return new Grammar("grammar", rules, new Expr.Ref("root"));
  }

  /// Reads a regular expression that the whole text matches.
  ///
  /// Taken are characters, `.` (any but `\n`), escapes of punctuation, `\n` `\r` `\t` `\f` `\v`,
  /// `x` or `u` behind a backslash with 2 or 4 digits, the ASCII classes `\d` `\w` `\s` and their
  /// opposites, `[...]` with ranges and `^`, groups `(...)` and `(?:...)`, <code>&#124;</code>,
  /// `*`, `+`, `?`, `{m}`, `{m,}`, `{m,n}`; `^` and `$` at the ends of the outermost alternatives,
  /// where they change nothing. Everything else is refused: lazy and possessive quantifiers,
  /// references, looking around, flags, Unicode properties.
  ///
  /// @param regex the expression
  /// @return the grammar
  /// @throws IllegalArgumentException if it is malformed, too large or not supported
  public static Grammar regex(String regex) {
    checkLength("regex", regex);
    return new Grammar("regex", Map.of(), RegexParser.whole("regex", regex));
  }

  /// Takes exactly one of some texts.
  ///
  /// @param texts at least one; none empty
  /// @return the grammar
  /// @throws IllegalArgumentException if there is none, one is empty, or they are too large
  public static Grammar choice(List<String> texts) {
    if (texts.isEmpty() || texts.contains("")) {
      throw Refusal.of(
          "choice", texts.isEmpty() ? "no text" : "an empty text", "texts to choose from");
    }
    for (String text : texts) {
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
        throw Refusal.of("choice", "half a surrogate pair", "whole characters");
      }
    }
    return new Grammar("choice", Map.of(), new Expr.Words(List.copyOf(texts)));
  }

  /// Takes any JSON object, nested at will.
  ///
  /// White space may stand where models write it, in front of values, keys and closing brackets: a
  /// blank, or a new line and up to 20 blanks or tabs. Numbers have at most 16 digits in front of
  /// the point and 16 behind it. So only strings and lists can go on for ever.
  ///
  /// @return the grammar
  public static Grammar json() {
    JsonRules rules = new JsonRules();
    Expr object = rules.anyObject();
    return new Grammar("json", rules.all(), Expr.seq(rules.space(), object));
  }

  /// Takes JSON that fits a JSON Schema, with white space and numbers as in [#json].
  ///
  /// | of | keywords |
  /// |---|---|
  /// | all | `type` (one or several), `enum`, `const`, `anyOf`, `oneOf` (as `anyOf`), `allOf` of one, `$ref` to `#` or into `#/$defs` and `#/definitions`, recursion included; `true` |
  /// | object | `properties` (written in their order), `required`, `additionalProperties` (behind the properties; if not given: none where there are properties, else any) |
  /// | array | `items`, `prefixItems`, `minItems`, `maxItems` |
  /// | string | `minLength`, `maxLength`; or `pattern`, as [#regex] but found anywhere in the string unless `^` and `$` say otherwise; or `format`: `date`, `time`, `date-time`, `uuid`, `email` |
  /// | integer | `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`; at most 16 digits, 18 where a bound asks for more |
  /// | number | the same bounds; with one, no exponent is written |
  /// | boolean, null | |
  ///
  /// Without `type`, keywords of one type mean that type, and none any value. Additional
  /// properties' names have no escapes and none is that of a property. `title`, `description`,
  /// `default`, `examples` and the like say nothing about the text. Any other keyword is refused by
  /// its place.
  ///
  /// @param schemaJson the schema
  /// @return the grammar
  /// @throws IllegalArgumentException if it is malformed, too large, not supported, or if nothing
  ///   fits it
  public static Grammar jsonSchema(String schemaJson) {
    checkLength("schema", schemaJson);
    JsonRules rules = new JsonRules();
    Expr value = new SchemaCompiler(rules, schemaJson).compile();
    return new Grammar("schema", rules.all(), Expr.seq(rules.space(), value));
  }

  private static void checkLength(String kind, String text) {
    if (text.length() > MAX_LENGTH) {
      throw Refusal.of(kind, text.length() + " characters", "at most " + MAX_LENGTH);
    }
  }

  Machine machine() {
    return machine;
  }

  Machine.State start(boolean behindBlank) {
    return machine.start(behindBlank ? 1 : 0);
  }

  /// Returns whether a whole text follows the grammar.
  ///
  /// @param text any text
  /// @return whether it does
  public boolean matches(String text) {
    Machine.@Nullable State state = machine.start(0);
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      state = machine.advance(state, new byte[] {b});
      if (state == null) {
        return false;
      }
    }
    return state.isAccepting();
  }
}
