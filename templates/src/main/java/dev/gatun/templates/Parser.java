package dev.gatun.templates;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Reads a template's statements.
final class Parser extends ExpressionParser {
  private static final int DEPTH = 100;

  private int depth;
  private int loops;

  private Parser(List<Token> tokens) {
    super(tokens);
  }

  /// Reads a template.
  ///
  /// @throws TemplateException if it is not well formed
  static List<Node> parse(String source) {
    Parser parser = new Parser(Lexer.tokens(source));
    try {
      List<Node> nodes = parser.statements(Set.of());
      if (parser.current().type() != Token.Type.END) {
        throw parser.unexpected("the end of the template");
      }
      return nodes;
    } catch (TemplateException e) {
      throw e.at(parser.current().line());
    }
  }

  /// Reads up to one of those tags, whose name is then the current token.
  private List<Node> statements(Set<String> ends) {
    enter();
    List<Node> nodes = new ArrayList<>();
    while (true) {
      Token token = current();
      switch (token.type()) {
        case DATA -> nodes.add(new Node.Data(token.line(), next().text()));
        case PRINT_BEGIN -> {
          next();
          nodes.add(new Node.Print(token.line(), tuple(true, false)));
          expect(Token.Type.PRINT_END, "}}");
        }
        case BLOCK_BEGIN -> {
          next();
          if (current().type() == Token.Type.NAME && ends.contains(current().text())) {
            depth--;
            return nodes;
          }
          nodes.add(statement(token.line()));
          expect(Token.Type.BLOCK_END, "%}");
        }
        default -> {
          if (!ends.isEmpty()) {
            throw unexpected("one of " + ends);
          }
          depth--;
          return nodes;
        }
      }
    }
  }

  private void enter() {
    if (++depth > DEPTH) {
      throw new TemplateException("found more than " + DEPTH + " nested tags, expected fewer");
    }
  }

  private void expect(Token.Type type, String text) {
    if (current().type() != type) {
      throw unexpected(text);
    }
    next();
  }

  /// Reads the body of a tag up to `end`, which is skipped; the block's end is still to come.
  private List<Node> body(String end) {
    expect(Token.Type.BLOCK_END, "%}");
    List<Node> body = statements(Set.of(end));
    expectName(end);
    return body;
  }

  private Node statement(int line) {
    String tag = name();
    return switch (tag) {
      case "if" -> condition(line);
      case "for" -> loop(line);
      case "set" -> set(line);
      case "macro" -> macro(line);
      case "call" -> call(line);
      case "filter" -> new Node.FilterBlock(line, filters(filter(empty())), body("endfilter"));
      case "with" -> with(line);
      case "generation" -> new Node.Generation(line, body("endgeneration"));
      case "break", "continue" -> {
        if (loops == 0) {
          throw new TemplateException("found " + tag + " outside of a loop, expected it in one");
        }
        yield tag.equals("break") ? new Node.Break(line) : new Node.Continue(line);
      }
      default ->
          throw new TemplateException(
              "found tag "
                  + tag
                  + ", expected if, for, set, macro, call, filter, with, generation, break or"
                  + " continue");
    };
  }

  private Node condition(int line) {
    Expr test = tuple(false, false);
    expect(Token.Type.BLOCK_END, "%}");
    List<Node> then = statements(Set.of("elif", "else", "endif"));
    int next = current().line();
    List<Node> otherwise = List.of();
    if (skipName("elif")) {
      enter();
      otherwise = List.of(condition(next));
      depth--;
    } else if (skipName("else")) {
      otherwise = body("endif");
    } else {
      next();
    }
    return new Node.If(line, test, then, otherwise);
  }

  private Node loop(int line) {
    Node.Target target = target(false);
    expectName("in");
    Expr items = tuple(false, false);
    Expr filter = skipName("if") ? expression() : null;
    if (current().isName("recursive")) {
      throw unexpected("a loop that is not recursive");
    }
    expect(Token.Type.BLOCK_END, "%}");
    loops++;
    List<Node> body = statements(Set.of("else", "endfor"));
    loops--;
    List<Node> otherwise = List.of();
    if (skipName("else")) {
      otherwise = body("endfor");
    } else {
      next();
    }
    return new Node.For(line, target, items, filter, body, otherwise);
  }

  private Node set(int line) {
    Node.Target target = target(true);
    if (skipOperator("=")) {
      return new Node.Set(line, target, tuple(true, false));
    }
    List<Expr.Filter> filters = new ArrayList<>();
    if (skipOperator("|")) {
      filters = filters(filter(empty()));
    }
    return new Node.SetBlock(line, target, filters, body("endset"));
  }

  /// What a block's first filter takes in place of an expression.
  private static Expr empty() {
    return new Expr.Constant("");
  }

  private List<Expr.Filter> filters(Expr.Filter first) {
    List<Expr.Filter> filters = new ArrayList<>(List.of(first));
    while (skipOperator("|")) {
      filters.add(filter(empty()));
    }
    return filters;
  }

  private Node with(int line) {
    List<Node.Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (current().type() != Token.Type.BLOCK_END) {
      if (!targets.isEmpty()) {
        expectOperator(",");
      }
      targets.add(oneTarget(false));
      expectOperator("=");
      values.add(expression());
    }
    return new Node.With(line, targets, values, body("endwith"));
  }

  private Node macro(int line) {
    return new Node.Macro(line, name(), macroBody("endmacro"));
  }

  private Node call(int line) {
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    if (current().isOperator("(")) {
      parameters(parameters, defaults);
    }
    if (!(expression() instanceof Expr.Call call)) {
      throw new TemplateException("call: found no call, expected one");
    }
    return new Node.CallBlock(line, call, statements(parameters, defaults, "endcall"));
  }

  private Node.Body macroBody(String end) {
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    parameters(parameters, defaults);
    return statements(parameters, defaults, end);
  }

  private void parameters(List<String> parameters, List<Expr> defaults) {
    expectOperator("(");
    while (!skipOperator(")")) {
      if (!parameters.isEmpty()) {
        expectOperator(",");
        if (skipOperator(")")) {
          return;
        }
      }
      parameters.add(name());
      if (skipOperator("=")) {
        defaults.add(expression());
      } else if (!defaults.isEmpty()) {
        throw unexpected("a default for " + parameters.getLast());
      }
    }
  }

  private Node.Body statements(List<String> parameters, List<Expr> defaults, String end) {
    Set<String> outer = names;
    int outerLoops = loops;
    names = new HashSet<>();
    loops = 0;
    List<Node> statements = body(end);
    Node.Body body = new Node.Body(parameters, defaults, statements, Set.copyOf(names));
    outer.addAll(names);
    names = outer;
    loops = outerLoops;
    return body;
  }

  private Node.Target target(boolean namespaces) {
    List<Node.Target> targets = new ArrayList<>(List.of(oneTarget(namespaces)));
    boolean comma = false;
    while (skipOperator(",")) {
      comma = true;
      if (current().isName("in") || current().isOperator("=")) {
        break;
      }
      targets.add(oneTarget(namespaces));
    }
    return comma ? new Node.TupleTarget(targets) : targets.getFirst();
  }

  private Node.Target oneTarget(boolean namespaces) {
    if (skipOperator("(")) {
      Node.Target inner = target(namespaces);
      expectOperator(")");
      return inner;
    }
    String name = name();
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw new TemplateException("found " + name + ", expected a name to assign to");
    }
    return namespaces && skipOperator(".")
        ? new Node.AttributeTarget(name, name())
        : new Node.NameTarget(name);
  }
}
