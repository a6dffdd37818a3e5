package dev.gatun.templates;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Cuts a template into tokens, with `trim_blocks` and `lstrip_blocks` on, as transformers sets
/// them. Source: `jinja2.lexer` 3.1.
final class Lexer {
  private static final Pattern RAW =
      Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%}", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern END_RAW =
      Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%}", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+|\\.(?:\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /// Whether the latest tag took the end of its line with it.
  private boolean lineStarts = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String text) {
    String source = text.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer =
        new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
    try {
      lexer.run();
    } catch (TemplateException e) {
      throw e.at(lexer.line);
    }
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.substring(at));
        advance(source.length());
      } else {
        tag(tag);
      }
    }
    tokens.add(new Token(Token.Type.END, "", line));
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void tag(int begin) {
    Matcher raw = RAW.matcher(source).region(begin, source.length());
    boolean isRaw = raw.lookingAt();
    char kind = source.charAt(begin + 1);
    char sign = begin + 2 < source.length() ? source.charAt(begin + 2) : ' ';
    data(before(source.substring(at, begin), sign, kind != '{'));
    if (isRaw) {
      advance(raw.end());
      if (!raw.group(1).isEmpty()) {
        skipSpace();
      }
      raw();
      return;
    }
    advance(begin + (sign == '-' || sign == '+' ? 3 : 2));
    if (kind == '#') {
      comment();
    } else if (kind == '{') {
      expression(Token.Type.PRINT_BEGIN, Token.Type.PRINT_END, "}}");
    } else {
      expression(Token.Type.BLOCK_BEGIN, Token.Type.BLOCK_END, "%}");
    }
  }

  /// Returns what is left of the text before a tag.
  private String before(String text, char sign, boolean strips) {
    if (sign == '-') {
      return Text.stripEnd(text);
    }
    int lineBegin = text.lastIndexOf('\n') + 1;
    boolean startsLine = lineBegin > 0 || lineStarts;
    if (sign == '+' || !strips || !startsLine) {
      return text;
    }
    for (int i = lineBegin; i < text.length(); i++) {
      if (text.charAt(i) != ' ' && text.charAt(i) != '\t') {
        return text;
      }
    }
    return text.substring(0, lineBegin);
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      tokens.add(new Token(Token.Type.DATA, text, line));
    }
  }

  private void raw() {
    Matcher end = END_RAW.matcher(source);
    if (!end.find(at)) {
      throw new TemplateException("raw: found no end, expected endraw");
    }
    String sign = end.group(1);
    data(before(source.substring(at, end.start()), sign.isEmpty() ? ' ' : sign.charAt(0), true));
    advance(end.end());
    afterTag(end.group(2), true);
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw new TemplateException("comment: found no end, expected #}");
    }
    String sign = end > at ? source.substring(end - 1, end) : "";
    advance(end + 2);
    afterTag(sign, true);
  }

  /// Skips what belongs to a tag behind its end.
  private void afterTag(String sign, boolean trims) {
    int from = at;
    if (sign.equals("-")) {
      skipSpace();
    } else if (trims && !sign.equals("+") && source.startsWith("\n", at)) {
      advance(at + 1);
    }
    lineStarts = at > from && source.charAt(at - 1) == '\n';
  }

  private void skipSpace() {
    int end = at;
    while (end < source.length() && Text.isSpace(source.charAt(end))) {
      end++;
    }
    lineStarts = end > at && source.charAt(end - 1) == '\n';
    advance(end);
  }

  private void advance(int to) {
    for (int i = at; i < to; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    at = to;
  }

  private void expression(Token.Type begin, Token.Type end, String close) {
    tokens.add(new Token(begin, "", line));
    boolean block = end == Token.Type.BLOCK_END;
    Deque<Character> open = new ArrayDeque<>();
    while (at < source.length()) {
      String sign = source.substring(at, at + 1);
      boolean signed = sign.equals("-") || (block && sign.equals("+"));
      if (open.isEmpty() && source.startsWith(close, at + (signed ? 1 : 0))) {
        tokens.add(new Token(end, close, line));
        advance(at + close.length() + (signed ? 1 : 0));
        afterTag(signed ? sign : "", block);
        return;
      }
      token(open);
    }
    throw new TemplateException("tag: found no end, expected " + close);
  }

  private void token(Deque<Character> open) {
    char c = source.charAt(at);
    if (Text.isSpace(c)) {
      skipSpace();
    } else if (c == '"' || c == '\'') {
      string(c);
    } else if (c >= '0' && c <= '9') {
      Matcher number = FLOAT.matcher(source).region(at, source.length());
      boolean afterDot = at > 0 && source.charAt(at - 1) == '.';
      if (!afterDot && number.lookingAt()) {
        add(Token.Type.FLOAT, number.end());
      } else {
        number.usePattern(INTEGER);
        add(Token.Type.INTEGER, number.lookingAt() ? number.end() : at + 1);
      }
    } else if (Character.isUnicodeIdentifierStart(c) || c == '_') {
      int end = at + 1;
      while (end < source.length()
          && Character.isUnicodeIdentifierPart(source.charAt(end))
          && !Character.isIdentifierIgnorable(source.charAt(end))) {
        end++;
      }
      add(Token.Type.NAME, end);
    } else {
      String sign =
          OPERATORS.stream()
              .filter(operator -> source.startsWith(operator, at))
              .findFirst()
              .orElseThrow(
                  () -> new TemplateException("found `" + c + "`, expected an expression"));
      balance(sign.charAt(0), open);
      add(Token.Type.OPERATOR, at + sign.length());
    }
  }

  private static void balance(char sign, Deque<Character> open) {
    int opens = "([{".indexOf(sign);
    if (opens >= 0) {
      open.push(")]}".charAt(opens));
    } else if (")]}".indexOf(sign) >= 0 && (open.isEmpty() || open.pop() != sign)) {
      throw new TemplateException("found `" + sign + "` that nothing opens, expected none");
    }
  }

  private void add(Token.Type type, int end) {
    tokens.add(new Token(type, source.substring(at, end), line));
    advance(end);
  }

  private void string(char quote) {
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw new TemplateException("string: found no end, expected " + quote);
    }
    tokens.add(new Token(Token.Type.STRING, Text.unescape(source.substring(at + 1, end)), line));
    advance(end + 1);
  }
}
