package dev.gatun.templates;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads expressions with the binding of Jinja: filters and tests bind tightest, then the signs,
/// `**`, `*` and its like, `~`, `+` and `-`, comparisons, `not`, `and`, `or`, `if`. Source:
/// `jinja2.parser` 3.1.
class ExpressionParser {
  private static final int DEPTH = 100;
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final List<Token> tokens;
  private int at;
  private int depth;

  /// Names read so far, of which a macro's own are told apart by its parser.
  protected Set<String> names = new HashSet<>();

  ExpressionParser(List<Token> tokens) {
    this.tokens = tokens;
  }

  final Token current() {
    return tokens.get(at);
  }

  final Token next() {
    Token token = tokens.get(at);
    if (token.type() != Token.Type.END) {
      at++;
    }
    return token;
  }

  final boolean skipName(String word) {
    boolean found = current().isName(word);
    at += found ? 1 : 0;
    return found;
  }

  final boolean skipOperator(String sign) {
    boolean found = current().isOperator(sign);
    at += found ? 1 : 0;
    return found;
  }

  final void expectOperator(String sign) {
    if (!skipOperator(sign)) {
      throw unexpected("`" + sign + "`");
    }
  }

  final void expectName(String word) {
    if (!skipName(word)) {
      throw unexpected("`" + word + "`");
    }
  }

  final String name() {
    if (current().type() != Token.Type.NAME) {
      throw unexpected("a name");
    }
    return next().text();
  }

  final TemplateException unexpected(String expected) {
    return new TemplateException("found " + current().described() + ", expected " + expected);
  }

  private boolean looksAt(int ahead, Token.Type type, String text) {
    return at + ahead < tokens.size() && tokens.get(at + ahead).is(type, text);
  }

  /// Reads one expression, or several with commas as a tuple.
  final Expr tuple(boolean conditional, boolean empty) {
    List<Expr> items = new ArrayList<>();
    boolean comma = false;
    do {
      if (isTupleEnd()) {
        break;
      }
      items.add(conditional ? expression() : or());
      comma |= current().isOperator(",");
    } while (skipOperator(","));
    if (items.isEmpty() && !empty) {
      throw unexpected("an expression");
    }
    return items.size() == 1 && !comma ? items.getFirst() : new Expr.TupleOf(items);
  }

  private boolean isTupleEnd() {
    return switch (current().type()) {
      case PRINT_END, BLOCK_END, END -> true;
      default -> current().isOperator(")");
    };
  }

  final Expr expression() {
    if (++depth > DEPTH) {
      throw new TemplateException(
          "found more than " + DEPTH + " nested expressions, expected fewer");
    }
    Expr value = or();
    while (skipName("if")) {
      Expr test = or();
      value = new Expr.Conditional(test, value, skipName("else") ? expression() : null);
    }
    depth--;
    return value;
  }

  private Expr or() {
    Expr left = and();
    while (skipName("or")) {
      left = new Expr.Or(left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (skipName("and")) {
      left = new Expr.And(left, not());
    }
    return left;
  }

  private Expr not() {
    int count = 0;
    while (skipName("not")) {
      count++;
    }
    Expr value = compare();
    if (count == 0) {
      return value;
    }
    Expr negated = new Expr.Not(value);
    return count % 2 == 1 ? negated : new Expr.Not(negated);
  }

  private Expr compare() {
    Expr first = sum();
    List<String> operators = new ArrayList<>();
    List<Expr> rest = new ArrayList<>();
    while (true) {
      if (current().type() == Token.Type.OPERATOR && COMPARISONS.contains(current().text())) {
        operators.add(next().text());
      } else if (skipName("in")) {
        operators.add("in");
      } else if (current().isName("not") && looksAt(1, Token.Type.NAME, "in")) {
        next();
        next();
        operators.add("not in");
      } else {
        return operators.isEmpty() ? first : new Expr.Compare(first, operators, rest);
      }
      rest.add(sum());
    }
  }

  private Expr sum() {
    Expr left = concat();
    while (current().isOperator("+") || current().isOperator("-")) {
      left = new Expr.Binary(next().text(), left, concat());
    }
    return left;
  }

  private Expr concat() {
    Expr first = product();
    if (!current().isOperator("~")) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (skipOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concat(parts);
  }

  private Expr product() {
    Expr left = power();
    while (current().type() == Token.Type.OPERATOR
        && Set.of("*", "/", "//", "%").contains(current().text())) {
      left = new Expr.Binary(next().text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = signed(true);
    while (skipOperator("**")) {
      left = new Expr.Binary("**", left, signed(true));
    }
    return left;
  }

  private Expr signed(boolean filters) {
    Expr value;
    if (current().isOperator("-") || current().isOperator("+")) {
      if (++depth > DEPTH) {
        throw new TemplateException("found more than " + DEPTH + " signs, expected fewer");
      }
      boolean negative = next().text().equals("-");
      value = new Expr.Sign(negative, signed(false));
      depth--;
    } else {
      value = primary();
    }
    value = postfix(value);
    return filters ? filtered(value) : value;
  }

  final Expr primary() {
    Token token = current();
    return switch (token.type()) {
      case NAME -> {
        next();
        yield switch (token.text()) {
          case "true", "True" -> new Expr.Constant(true);
          case "false", "False" -> new Expr.Constant(false);
          case "none", "None" -> new Expr.Constant(None.NONE);
          default -> {
            names.add(token.text());
            yield new Expr.Name(token.text());
          }
        };
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (current().type() == Token.Type.STRING) {
          text.append(next().text());
        }
        yield new Expr.Constant(text.toString());
      }
      case INTEGER, FLOAT -> {
        next();
        yield new Expr.Constant(number(token));
      }
      default -> {
        if (skipOperator("(")) {
          Expr inner = tuple(true, true);
          expectOperator(")");
          yield inner;
        }
        if (skipOperator("[")) {
          yield list();
        }
        if (skipOperator("{")) {
          yield dict();
        }
        throw unexpected("an expression");
      }
    };
  }

  private static Object number(Token token) {
    String digits = token.text().replace("_", "");
    if (token.type() == Token.Type.FLOAT) {
      return Double.valueOf(digits);
    }
    int base =
        digits.length() < 2
            ? 10
            : switch (digits.charAt(1)) {
              case 'x', 'X' -> 16;
              case 'o', 'O' -> 8;
              case 'b', 'B' -> 2;
              default -> 10;
            };
    if (digits.length() > 1000) {
      throw new TemplateException("found a number of more than 1000 digits, expected fewer");
    }
    return Numbers.integer(new BigInteger(base == 10 ? digits : digits.substring(2), base));
  }

  private Expr list() {
    List<Expr> items = new ArrayList<>();
    while (!skipOperator("]")) {
      if (!items.isEmpty()) {
        expectOperator(",");
        if (skipOperator("]")) {
          break;
        }
      }
      items.add(expression());
    }
    return new Expr.ListOf(items);
  }

  private Expr dict() {
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!skipOperator("}")) {
      if (!keys.isEmpty()) {
        expectOperator(",");
        if (skipOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      expectOperator(":");
      values.add(expression());
    }
    return new Expr.DictOf(keys, values);
  }

  private Expr postfix(Expr first) {
    Expr value = first;
    while (true) {
      if (skipOperator(".")) {
        value = attribute(value);
      } else if (skipOperator("[")) {
        value = item(value);
      } else if (current().isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr attribute(Expr value) {
    Token name = next();
    return switch (name.type()) {
      case NAME -> new Expr.Attribute(value, name.text());
      case INTEGER -> new Expr.Item(value, new Expr.Constant(number(name)));
      default ->
          throw new TemplateException("found " + name.described() + ", expected a name or number");
    };
  }

  private Expr item(Expr value) {
    List<Expr> keys = new ArrayList<>();
    while (!skipOperator("]")) {
      if (!keys.isEmpty()) {
        expectOperator(",");
      }
      keys.add(key());
    }
    return new Expr.Item(value, keys.size() == 1 ? keys.getFirst() : new Expr.TupleOf(keys));
  }

  private Expr key() {
    Expr from = current().isOperator(":") ? null : expression();
    if (!skipOperator(":")) {
      return from == null ? new Expr.Constant(None.NONE) : from;
    }
    Expr to = isKeyEnd() || current().isOperator(":") ? null : expression();
    Expr step = skipOperator(":") && !isKeyEnd() ? expression() : null;
    return new Expr.Range(from, to, step);
  }

  private boolean isKeyEnd() {
    return current().isOperator("]") || current().isOperator(",");
  }

  final Expr.Given arguments() {
    expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    boolean more = false;
    while (!skipOperator(")")) {
      if (more) {
        expectOperator(",");
        if (skipOperator(")")) {
          break;
        }
      }
      if (current().isOperator("*") || current().isOperator("**")) {
        throw unexpected("an argument: Gatun's templates have no unpacked ones");
      }
      if (current().type() == Token.Type.NAME && looksAt(1, Token.Type.OPERATOR, "=")) {
        String name = name();
        next();
        if (named.put(name, expression()) != null) {
          throw new TemplateException("found argument " + name + " twice, expected it once");
        }
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw unexpected("an argument with a name");
      }
      more = true;
    }
    return new Expr.Given(positional, named);
  }

  private Expr filtered(Expr first) {
    Expr value = first;
    while (true) {
      if (skipOperator("|")) {
        value = filter(value);
      } else if (current().isName("is")) {
        value = test(value);
      } else if (current().isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /// Reads a filter's name and arguments.
  final Expr.Filter filter(Expr value) {
    String name = name();
    if (!Filters.NAMES.contains(name)) {
      throw new TemplateException("found filter " + name + ", expected one of " + Filters.NAMES);
    }
    return new Expr.Filter(value, name, current().isOperator("(") ? arguments() : Expr.Given.NONE);
  }

  private Expr test(Expr value) {
    next();
    boolean negated = skipName("not");
    String name = name();
    if (!Tests.NAMES.contains(name)) {
      throw new TemplateException("found test " + name + ", expected one of " + Tests.NAMES);
    }
    Expr.Given given = Expr.Given.NONE;
    if (current().isOperator("(")) {
      given = arguments();
    } else if (beginsArgument()) {
      if (current().isName("is")) {
        throw unexpected("one test at once");
      }
      given = new Expr.Given(List.of(postfix(primary())), Map.of());
    }
    Expr test = new Expr.Test(value, name, given);
    return negated ? new Expr.Not(test) : test;
  }

  private boolean beginsArgument() {
    Token token = current();
    return switch (token.type()) {
      case NAME -> !Set.of("else", "or", "and").contains(token.text());
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.isOperator("[") || token.isOperator("{");
      default -> false;
    };
  }
}
