package io.moneonnx.jinja;

import io.moneonnx.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;

/** Parses what has a value; operators bind as in jinja2, filters closest. */
final class ExpressionParser {
  private static final Set<String> NOT_SUPPORTED =
      Set.of("caller", "varargs", "kwargs", "self", "super", "lipsum", "cycler", "joiner", "dict");
  private static final Map<String, Object> CONSTANTS =
      Map.of(
          "true", true, "True", true, "false", false, "False", false, "none", None.NONE, "None",
          None.NONE);
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final Tokens tokens;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
  }

  /** One that may be a choice by {@code if}. */
  Expression expression() {
    Expression value = or();
    while (tokens.takenName("if")) {
      Expression then = value;
      Expression condition = or();
      Expression otherwise =
          tokens.takenName("else")
              ? expression()
              : scope -> new Undefined("what stands before 'if' is not chosen");
      value =
          scope ->
              Python.isTrue(condition.value(scope)) ? then.value(scope) : otherwise.value(scope);
    }
    return value;
  }

  /** One that is no choice, so that an {@code if} may stand behind it. */
  Expression or() {
    Expression value = and();
    while (tokens.takenName("or")) {
      Expression left = value;
      Expression right = and();
      value =
          scope -> {
            Object first = left.value(scope);
            return Python.isTrue(first) ? first : right.value(scope);
          };
    }
    return value;
  }

  private Expression and() {
    Expression value = not();
    while (tokens.takenName("and")) {
      Expression left = value;
      Expression right = not();
      value =
          scope -> {
            Object first = left.value(scope);
            return Python.isTrue(first) ? right.value(scope) : first;
          };
    }
    return value;
  }

  private Expression not() {
    if (tokens.takenName("not")) {
      Expression value = not();
      return scope -> !Python.isTrue(value.value(scope));
    }
    return comparison();
  }

  private Expression comparison() {
    Expression left = sum();
    BiPredicate<Object, Object> test = comparisonOperator();
    if (test == null) {
      return left;
    }
    Expression right = sum();
    Token next = tokens.peek();
    if (comparisonOperator() != null) {
      throw new TemplateException("a chain of comparisons is not supported").at(next.line());
    }
    return scope -> test.test(left.value(scope), right.value(scope));
  }

  /** Takes it if it is there; null if not. */
  private BiPredicate<Object, Object> comparisonOperator() {
    Token next = tokens.peek();
    if (next.kind() == Kind.OPERATOR && COMPARISONS.contains(next.text())) {
      tokens.take();
      return switch (next.text()) {
        case "==" -> Python::areEqual;
        case "!=" -> (left, right) -> !Python.areEqual(left, right);
        case "<" -> (left, right) -> Python.compare(left, right) < 0;
        case "<=" -> (left, right) -> Python.compare(left, right) <= 0;
        case ">" -> (left, right) -> Python.compare(left, right) > 0;
        default -> (left, right) -> Python.compare(left, right) >= 0;
      };
    } else if (tokens.takenName("in")) {
      return (left, right) -> Python.contains(right, left);
    } else if (tokens.atName("not") && tokens.peek(1).is(Kind.NAME, "in")) {
      tokens.take();
      tokens.take();
      return (left, right) -> !Python.contains(right, left);
    }
    return null;
  }

  private Expression sum() {
    Expression value = concatenation();
    while (tokens.atOperator("+") || tokens.atOperator("-")) {
      String operator = tokens.take().text();
      Expression left = value;
      Expression right = concatenation();
      value =
          scope -> scope.made(Python.calculate(operator, left.value(scope), right.value(scope)));
    }
    return value;
  }

  private Expression concatenation() {
    Expression value = product();
    while (tokens.takenOperator("~")) {
      Expression left = value;
      Expression right = product();
      value =
          scope -> scope.made(PythonText.of(left.value(scope)) + PythonText.of(right.value(scope)));
    }
    return value;
  }

  private Expression product() {
    Expression value = signed(true);
    while (tokens.atOperator("*")
        || tokens.atOperator("//")
        || tokens.atOperator("%")
        || tokens.atOperator("/")
        || tokens.atOperator("**")) {
      String operator = tokens.take().text();
      Expression left = value;
      Expression right = signed(true);
      value = scope -> Python.calculate(operator, left.value(scope), right.value(scope));
    }
    return value;
  }

  private Expression signed(boolean isFiltered) {
    if (tokens.takenOperator("-")) {
      Expression value = signed(false);
      Expression negative = scope -> Python.calculate("-", 0L, value.value(scope));
      return isFiltered ? filtered(negative) : negative;
    }
    Expression value = postfixed(primary());
    return isFiltered ? filtered(value) : value;
  }

  private Expression primary() {
    Token token = tokens.peek();
    switch (token.kind()) {
      case NAME -> {
        return named(tokens.take());
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.peek().kind() == Kind.STRING) {
          text.append(tokens.take().text());
        }
        return constant(text.toString());
      }
      case INTEGER, FLOAT -> {
        return constant(number(tokens.take()));
      }
      default -> {
        if (tokens.takenOperator("(")) {
          return parenthesised();
        } else if (tokens.takenOperator("[")) {
          List<Expression> items = list("]");
          return scope -> new ArrayList<>(items.stream().map(item -> item.value(scope)).toList());
        } else if (tokens.takenOperator("{")) {
          return dict();
        }
        throw tokens.unexpected("a value");
      }
    }
  }

  private static Expression constant(Object value) {
    return scope -> value;
  }

  private static Object number(Token token) {
    try {
      return token.kind() == Kind.FLOAT
          ? (Object) Double.valueOf(token.text())
          : (Object) Long.valueOf(token.text());
    } catch (NumberFormatException e) {
      throw new TemplateException("the number %s is not supported".formatted(token.text()))
          .at(token.line());
    }
  }

  private static Expression named(Token token) {
    String name = token.text();
    if (CONSTANTS.containsKey(name)) {
      return constant(CONSTANTS.get(name));
    } else if (NOT_SUPPORTED.contains(name)) {
      return scope -> {
        throw new TemplateException("'%s' is not supported".formatted(name)).at(token.line());
      };
    }
    return scope -> scope.get(name);
  }

  private Expression parenthesised() {
    if (tokens.takenOperator(")")) {
      return constant(Items.tuple());
    }
    Expression first = expression();
    if (tokens.takenOperator(")")) {
      return first;
    }
    tokens.expectOperator(",");
    List<Expression> items = new ArrayList<>(List.of(first));
    items.addAll(list(")"));
    return scope ->
        new Items(Items.Kind.TUPLE, items.stream().map(item -> item.value(scope)).toList());
  }

  /** Those up to {@code end}, with commas between them, and maybe behind. */
  private List<Expression> list(String end) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.takenOperator(end)) {
      items.add(expression());
      if (!tokens.atOperator(end)) {
        tokens.expectOperator(",");
      }
    }
    return items;
  }

  private Expression dict() {
    Map<Expression, Expression> entries = new LinkedHashMap<>();
    while (!tokens.takenOperator("}")) {
      Expression key = expression();
      tokens.expectOperator(":");
      entries.put(key, expression());
      if (!tokens.atOperator("}")) {
        tokens.expectOperator(",");
      }
    }
    return scope -> {
      Map<String, Object> dict = new LinkedHashMap<>();
      entries.forEach(
          (key, value) -> {
            if (!(key.value(scope) instanceof String name)) {
              throw new TemplateException("a key that is no text is not supported");
            }
            dict.put(name, value.value(scope));
          });
      return dict;
    };
  }

  private Expression postfixed(Expression begin) {
    Expression value = begin;
    while (true) {
      Expression before = value;
      if (tokens.takenOperator(".")) {
        String name = tokens.name();
        value = scope -> Python.attribute(before.value(scope), name);
      } else if (tokens.takenOperator("[")) {
        value = subscript(before);
      } else if (tokens.takenOperator("(")) {
        value = call(before);
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression value) {
    Expression none = constant(None.NONE);
    Expression from = tokens.atOperator(":") ? none : expression();
    if (tokens.takenOperator("]")) {
      return scope -> Python.item(value.value(scope), from.value(scope));
    }
    tokens.expectOperator(":");
    Expression to = tokens.atOperator(":") || tokens.atOperator("]") ? none : expression();
    boolean hasStep = tokens.takenOperator(":") && !tokens.atOperator("]");
    Expression step = hasStep ? expression() : none;
    tokens.expectOperator("]");
    return scope ->
        scope.made(
            Python.slice(
                value.value(scope), from.value(scope), to.value(scope), step.value(scope)));
  }

  private Expression call(Expression callee) {
    int line = tokens.peek().line();
    ArgumentList arguments = arguments();
    return scope -> {
      Object called = callee.value(scope);
      if (!(called instanceof Callable callable)) {
        throw new TemplateException("%s is called".formatted(Python.kind(called))).at(line);
      }
      return scope.made(callable.call(arguments.values(scope)));
    };
  }

  private record ArgumentList(List<Expression> positional, Map<String, Expression> named) {
    Arguments values(Scope scope) {
      Map<String, Object> values = new LinkedHashMap<>();
      named.forEach((name, value) -> values.put(name, value.value(scope)));
      return new Arguments(positional.stream().map(value -> value.value(scope)).toList(), values);
    }
  }

  /** Those up to the closing parenthesis. */
  private ArgumentList arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tokens.takenOperator(")")) {
      if (tokens.peek().kind() == Kind.NAME && tokens.peek(1).is(Kind.OPERATOR, "=")) {
        String name = tokens.name();
        tokens.take();
        named.put(name, expression());
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw tokens.unexpected("a named argument");
      }
      if (!tokens.atOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    return new ArgumentList(positional, named);
  }

  private Expression filtered(Expression begin) {
    Expression value = begin;
    while (true) {
      Expression before = value;
      if (tokens.takenOperator("|")) {
        value = filter(before);
      } else if (tokens.takenName("is")) {
        value = test(before);
      } else if (tokens.takenOperator("(")) {
        value = call(before);
      } else {
        return value;
      }
    }
  }

  private Expression filter(Expression value) {
    String name = tokens.name();
    ArgumentList arguments =
        tokens.takenOperator("(") ? arguments() : new ArgumentList(List.of(), Map.of());
    return scope -> scope.made(Filters.of(name).apply(value.value(scope), arguments.values(scope)));
  }

  private Expression test(Expression value) {
    boolean isNegated = tokens.takenName("not");
    String name = tokens.name();
    List<Expression> arguments =
        tokens.takenOperator("(")
            ? list(")")
            : takesArgument() ? List.of(postfixed(primary())) : List.of();
    return scope -> {
      List<Object> given = arguments.stream().map(argument -> argument.value(scope)).toList();
      return Tests.of(name).test(value.value(scope), given) != isNegated;
    };
  }

  /** An argument may follow a test without parentheses. */
  private boolean takesArgument() {
    Token next = tokens.peek();
    return switch (next.kind()) {
      case NAME -> !Set.of("else", "or", "and", "is", "if", "in", "not").contains(next.text());
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> Set.of("[", "{").contains(next.text());
      default -> false;
    };
  }
}
