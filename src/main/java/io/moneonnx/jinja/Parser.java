package io.moneonnx.jinja;

import io.moneonnx.jinja.Statement.Flow;
import io.moneonnx.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Parses the statements of a template. */
final class Parser {
  private final Tokens tokens;
  private final ExpressionParser expressions;
  private int openLoops;

  Parser(List<Token> tokens) {
    this.tokens = new Tokens(tokens);
    this.expressions = new ExpressionParser(this.tokens);
  }

  /** All of it. */
  Statement template() {
    Statement body = body(Set.of());
    if (tokens.peek().kind() != Kind.END) {
      throw tokens.unexpected("the end of the template");
    }
    return body;
  }

  /** Statements up to one with a name of {@code ends}, which stays to be read from its name on. */
  private Statement body(Set<String> ends) {
    List<Statement> statements = new ArrayList<>();
    while (tokens.peek().kind() != Kind.END) {
      Token token = tokens.take();
      if (token.kind() == Kind.DATA) {
        statements.add(
            (scope, out) -> {
              out.append(scope.made(token.text()));
              return Flow.NEXT;
            });
      } else if (token.kind() == Kind.PRINT_BEGIN) {
        statements.add(placed(print(), token.line()));
      } else if (ends.contains(tokens.peek().text())) {
        return Statement.all(statements);
      } else {
        statements.add(placed(statement(), token.line()));
      }
    }
    if (!ends.isEmpty()) {
      throw tokens.unexpected("{% " + String.join(" %} or {% ", ends) + " %}");
    }
    return Statement.all(statements);
  }

  private static Statement placed(Statement statement, int line) {
    return (scope, out) -> {
      try {
        return statement.run(scope, out);
      } catch (TemplateException e) {
        throw e.at(line);
      }
    };
  }

  private Statement print() {
    Expression value = expressions.expression();
    tokens.expectEnd();
    return (scope, out) -> {
      out.append(scope.made(PythonText.of(value.value(scope))));
      return Flow.NEXT;
    };
  }

  private Statement statement() {
    int line = tokens.peek().line();
    String name = tokens.name();
    return switch (name) {
      case "if" -> condition();
      case "for" -> loop();
      case "set" -> assignment();
      case "macro" -> macro();
      case "generation" -> generation();
      case "break" -> flow(Flow.BREAK);
      case "continue" -> flow(Flow.CONTINUE);
      default ->
          throw new TemplateException("the statement '%s' is not supported here".formatted(name))
              .at(line);
    };
  }

  private Statement flow(Flow flow) {
    if (openLoops == 0) {
      throw new TemplateException("a break or continue is not in a loop").at(tokens.peek().line());
    }
    tokens.expectEnd();
    return (scope, out) -> flow;
  }

  private Statement condition() {
    Expression condition = expressions.expression();
    tokens.expectEnd();
    Statement then = body(Set.of("elif", "else", "endif"));
    Statement otherwise = otherwise();
    return (scope, out) ->
        Python.isTrue(condition.value(scope)) ? then.run(scope, out) : otherwise.run(scope, out);
  }

  private Statement otherwise() {
    String name = tokens.name();
    if (name.equals("elif")) {
      return condition();
    }
    return name.equals("else") ? rest("endif") : nothing();
  }

  private Statement nothing() {
    tokens.expectEnd();
    return (scope, out) -> Flow.NEXT;
  }

  /** The body from the end of this tag on, and the tag that ends it. */
  private Statement rest(String end) {
    tokens.expectEnd();
    Statement body = body(Set.of(end));
    tokens.take();
    tokens.expectEnd();
    return body;
  }

  /** The same, of which only the text is taken: loops around it do not end in it. */
  private Statement text(String end) {
    int around = openLoops;
    openLoops = 0;
    Statement text = rest(end);
    openLoops = around;
    return text;
  }

  private Statement loop() {
    List<String> targets = new ArrayList<>();
    boolean isOpen = tokens.takenOperator("(");
    do {
      targets.add(tokens.name());
    } while (tokens.takenOperator(","));
    if (isOpen) {
      tokens.expectOperator(")");
    }
    if (!tokens.takenName("in")) {
      throw tokens.unexpected("'in'");
    }
    Expression items = expressions.or();
    Optional<Expression> filter =
        tokens.takenName("if") ? Optional.of(expressions.expression()) : Optional.empty();
    tokens.expectEnd();
    openLoops++;
    Statement body = body(Set.of("else", "endfor"));
    openLoops--;
    Statement otherwise = tokens.name().equals("else") ? rest("endfor") : nothing();
    return new ForLoop(targets, items, filter, body, otherwise);
  }

  private record ForLoop(
      List<String> targets,
      Expression items,
      Optional<Expression> filter,
      Statement body,
      Statement otherwise)
      implements Statement {
    @Override
    public Flow run(Scope scope, StringBuilder out) {
      List<Object> all = new ArrayList<>(Python.items(items.value(scope)));
      filter.ifPresent(
          condition -> all.removeIf(item -> !Python.isTrue(condition.value(round(scope, item)))));
      for (int i = 0; i < all.size(); i++) {
        Scope round = round(scope, all.get(i));
        round.set("loop", new Loop(all, i));
        if (body.run(round, out) == Flow.BREAK) {
          return Flow.NEXT;
        }
      }
      return all.isEmpty() ? otherwise.run(scope.inner(), out) : Flow.NEXT;
    }

    private Scope round(Scope scope, Object item) {
      Scope round = scope.inner();
      if (targets.size() == 1) {
        round.set(targets.get(0), item);
        return round;
      }
      List<Object> parts = Python.items(item);
      if (parts.size() != targets.size()) {
        throw new TemplateException(
            "found %d values, expected one for each of %s".formatted(parts.size(), targets));
      }
      for (int i = 0; i < parts.size(); i++) {
        round.set(targets.get(i), parts.get(i));
      }
      return round;
    }
  }

  private Statement assignment() {
    String name = tokens.name();
    if (tokens.takenOperator(".")) {
      return namespaceAssignment(name, tokens.name());
    } else if (tokens.takenOperator("=")) {
      Expression value = expressions.expression();
      tokens.expectEnd();
      return (scope, out) -> {
        scope.set(name, value.value(scope));
        return Flow.NEXT;
      };
    }
    Statement body = text("endset");
    return (scope, out) -> {
      scope.set(name, body.text(scope.inner()));
      return Flow.NEXT;
    };
  }

  private Statement namespaceAssignment(String name, String attribute) {
    tokens.expectOperator("=");
    Expression value = expressions.expression();
    tokens.expectEnd();
    return (scope, out) -> {
      if (!(scope.get(name) instanceof Namespace namespace)) {
        throw new TemplateException("'%s' is no namespace".formatted(name));
      }
      namespace.set(attribute, value.value(scope));
      return Flow.NEXT;
    };
  }

  private Statement macro() {
    String name = tokens.name();
    tokens.expectOperator("(");
    Map<String, Optional<Expression>> parameters = new LinkedHashMap<>();
    while (!tokens.takenOperator(")")) {
      String parameter = tokens.name();
      parameters.put(
          parameter,
          tokens.takenOperator("=") ? Optional.of(expressions.expression()) : Optional.empty());
      if (!tokens.atOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    Statement body = text("endmacro");
    return (scope, out) -> {
      scope.set(name, (Callable) given -> call(name, parameters, body, scope.inner(), given));
      return Flow.NEXT;
    };
  }

  private static Object call(
      String name,
      Map<String, Optional<Expression>> parameters,
      Statement body,
      Scope scope,
      Arguments given) {
    Map<String, Object> bound = given.bind(name, List.copyOf(parameters.keySet()));
    parameters.forEach(
        (parameter, otherwise) -> {
          Object value = bound.get(parameter);
          if (value == null) {
            value =
                otherwise
                    .map(expression -> expression.value(scope))
                    .orElseGet(
                        () ->
                            new Undefined("parameter '%s' was not provided".formatted(parameter)));
          }
          scope.set(parameter, value);
        });
    return body.text(scope);
  }

  /** What a model writes itself: transformers marks it, and it is put out like all else. */
  private Statement generation() {
    Statement body = text("endgeneration");
    return (scope, out) -> {
      out.append(body.text(scope.inner()));
      return Flow.NEXT;
    };
  }
}
