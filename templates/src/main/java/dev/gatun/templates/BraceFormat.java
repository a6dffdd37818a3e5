package dev.gatun.templates;

/// `str.format` with names and numbers in braces, without format specifications.
///
/// @param python rules of text
/// @param arguments what is filled in
record BraceFormat(Python python, Arguments arguments) {
  String format(String text) {
    StringBuilder out = new StringBuilder();
    int automatic = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '{' && c != '}') {
        out.append(c);
      } else if (i + 1 < text.length() && text.charAt(i + 1) == c) {
        out.append(c);
        i++;
      } else {
        int end = text.indexOf('}', i);
        if (c == '}' || end < 0) {
          throw new TemplateException("format: found a lone brace, expected two or a field");
        }
        String field = text.substring(i + 1, end);
        String value = python.text(value(field.isEmpty() ? String.valueOf(automatic++) : field));
        python.budget().chars(value.length());
        out.append(value);
        i = end;
      }
    }
    return out.toString();
  }

  private Object value(String field) {
    boolean number =
        !field.isEmpty() && field.length() < 6 && field.chars().allMatch(c -> c >= '0' && c <= '9');
    if (number && Integer.parseInt(field) < arguments.positional().size()) {
      return arguments.positional().get(Integer.parseInt(field));
    }
    Object named = arguments.named().get(field);
    if (named == null) {
      throw new TemplateException(
          "format: found field `" + field + "`, expected a given name or number");
    }
    return named;
  }
}
