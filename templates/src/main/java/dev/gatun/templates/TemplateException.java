package dev.gatun.templates;

import java.io.Serial;

/// A chat template that does not take a conversation, or that is wrong itself.
///
/// The message is `SOURCE: line N: REASON`. Where the template refuses with `raise_exception`, the
/// reason is what the template says.
public final class TemplateException extends IllegalArgumentException {
  @Serial private static final long serialVersionUID = 1L;

  /// Why, without the place.
  private final String reason;

  /// Line of the template, 0 where none is known yet.
  private final int line;

  TemplateException(String reason) {
    this(reason, reason, 0);
  }

  private TemplateException(String message, String reason, int line) {
    super(message);
    this.reason = reason;
    this.line = line;
  }

  /// Returns why the template stopped.
  ///
  /// @return the template's own words where it refuses a conversation
  public String reason() {
    return reason;
  }

  /// Returns where in the template.
  ///
  /// @return a line, from 1 on
  public int line() {
    return line;
  }

  /// Names the line, unless a line within has been named already.
  TemplateException at(int place) {
    return line > 0 ? this : moved("line " + place + ": " + reason, place);
  }

  /// Names the template.
  TemplateException in(String source) {
    return moved(source + ": " + getMessage(), line);
  }

  private TemplateException moved(String message, int place) {
    TemplateException moved = new TemplateException(message, reason, place);
    moved.setStackTrace(getStackTrace());
    return moved;
  }
}
