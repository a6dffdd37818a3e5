package dev.gatun.cli.report;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/// Text that grows into a page. What it writes is both HTML and well-formed XML, provided that the
/// caller closes what it opens.
final class Markup {
  private final StringBuilder out = new StringBuilder(1 << 16);

  /// Appends `html` as it is; for fixed text only.
  @CanIgnoreReturnValue
  Markup raw(String html) {
    out.append(html);
    return this;
  }

  /// Appends `text` escaped, for content and for quoted attributes alike.
  @CanIgnoreReturnValue
  Markup text(String text) {
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\'' -> out.append("&#39;");
        default -> out.appendCodePoint(visible(c));
      }
    }
    return this;
  }

  /// Appends a whole element.
  ///
  /// @param tag name, and attributes if any: `td class="num"`
  /// @param text its content, escaped here
  @CanIgnoreReturnValue
  Markup element(String tag, String text) {
    int space = tag.indexOf(' ');
    String name = space < 0 ? tag : tag.substring(0, space);
    return raw("<").raw(tag).raw(">").text(text).raw("</").raw(name).raw(">");
  }

  /// What neither XML nor a reader can take is drawn as a picture of itself or as U+FFFD.
  private static int visible(int c) {
    if (c == '\t' || c == '\n') {
      return c;
    }
    if (c < 0x20) {
      return 0x2400 + c;
    }
    boolean control = c >= 0x7f && c <= 0x9f;
    boolean surrogate = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    return control || surrogate || (c & 0xfffe) == 0xfffe ? 0xfffd : c;
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
