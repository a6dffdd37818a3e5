package dev.gatun.templates;

/// A piece of a template's source.
///
/// @param type what it is
/// @param text as written; of a string, what it stands for
/// @param line where, from 1 on
record Token(Type type, String text, int line) {
  enum Type {
    DATA,
    PRINT_BEGIN,
    PRINT_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Type other, String word) {
    return type == other && text.equals(word);
  }

  boolean isName(String word) {
    return is(Type.NAME, word);
  }

  boolean isOperator(String sign) {
    return is(Type.OPERATOR, sign);
  }

  String described() {
    return type == Type.END ? "the end of the template" : "`" + text + "`";
  }
}
