package io.moneonnx.passgen;

import io.moneonnx.passgen.PatternTree.Anything;
import io.moneonnx.passgen.PatternTree.Application;
import io.moneonnx.passgen.PatternTree.Attribute;
import io.moneonnx.passgen.PatternTree.Expression;
import io.moneonnx.passgen.PatternTree.Literal;
import io.moneonnx.passgen.PatternTree.Operand;
import io.moneonnx.passgen.PatternTree.Same;
import io.moneonnx.passgen.PatternTree.Statement;
import io.moneonnx.passgen.PatternTree.Value;
import io.moneonnx.passgen.PatternTree.Variable;
import io.moneonnx.passgen.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Parses the grammar of {@code passes/README.md}, by recursive descent. */
final class PatternParser {
  private final Source source;
  private final List<Token> tokens;
  private int at;

  private PatternParser(Source source) {
    this.source = source;
    this.tokens = Lexer.tokens(source);
  }

  static PatternTree parse(Source source) {
    return new PatternParser(source).pattern();
  }

  private PatternTree pattern() {
    expect("pattern");
    Token name = name("the pattern's name");
    expect(":");
    Token kind = name("the pattern's kind");
    expect("(");
    List<Variable> inputs = list(")", this::variable);
    expect("=>");
    expect("(");
    List<Token> outputs = list(")", () -> name("an output"));
    List<Token> through = accept("through") ? several(() -> name("an operator")) : List.of();
    expect("{");
    List<Statement> statements = new ArrayList<>();
    do {
      statements.add(statement());
    } while (!accept("}"));
    if (peek().kind() != Kind.END) {
      throw unexpected("the end: a file holds one pattern");
    }
    return new PatternTree(
        source, Lexer.comment(source), name, kind, inputs, outputs, through, statements);
  }

  private Statement statement() {
    int first = at;
    List<Token> results = several(this::result);
    expect("=");
    List<Expression> alternatives = new ArrayList<>();
    do {
      alternatives.add(expression());
    } while (accept("|"));
    return new Statement(text(first), results, alternatives);
  }

  private Token result() {
    return peek().is("_") ? next() : name("a result");
  }

  private Expression expression() {
    Token name = name("an operator or a value");
    if (!peek().is("<") && !peek().is("(")) {
      return new Same(name);
    }
    List<Attribute> attributes = accept("<") ? list(">", this::attribute) : List.of();
    expect("(");
    return new Application(name, attributes, list(")", this::operand));
  }

  private Attribute attribute() {
    Token name = name("an attribute");
    expect("=");
    if (accept("@")) {
      return new Attribute(name, Optional.of(name("the capture's name")), List.of());
    }
    List<Value> accepted = new ArrayList<>();
    do {
      accepted.add(value());
    } while (accept("|"));
    return new Attribute(name, Optional.empty(), accepted);
  }

  private Value value() {
    if (accept("[")) {
      return new Value(true, list("]", this::integer));
    }
    return new Value(false, List.of(peek().kind() == Kind.STRING ? next() : number()));
  }

  private Operand operand() {
    if (accept("_")) {
      return new Anything();
    } else if (accept("[")) {
      return new Literal(list("]", this::number));
    }
    return peek().kind() == Kind.NUMBER ? new Literal(List.of(next())) : variable();
  }

  private Variable variable() {
    boolean constant = accept("const");
    Token name = name("a value");
    boolean optional = accept("?");
    List<Token> shape = accept("[") ? list("]", this::dimension) : List.of();
    return new Variable(constant, name, optional, shape);
  }

  private Token dimension() {
    return peek().kind() == Kind.NUMBER ? integer() : name("a size");
  }

  private Token name(String wanted) {
    if (peek().kind() != Kind.NAME) {
      throw unexpected(wanted);
    }
    return next();
  }

  private Token number() {
    if (peek().kind() != Kind.NUMBER) {
      throw unexpected("a number");
    }
    return next();
  }

  private Token integer() {
    if (!peek().isInteger()) {
      throw unexpected("an integer");
    }
    return next();
  }

  /** Items up to {@code close}, with commas between them. */
  private <T> List<T> list(String close, Supplier<T> item) {
    List<T> items = several(item);
    expect(close);
    return items;
  }

  private <T> List<T> several(Supplier<T> item) {
    List<T> items = new ArrayList<>();
    do {
      items.add(item.get());
    } while (accept(","));
    return items;
  }

  private Token peek() {
    return tokens.get(at);
  }

  private Token next() {
    return tokens.get(at++);
  }

  private boolean accept(String symbol) {
    if (!peek().is(symbol)) {
      return false;
    }
    at++;
    return true;
  }

  private void expect(String symbol) {
    if (!accept(symbol)) {
      throw unexpected("'" + symbol + "'");
    }
  }

  private PatternException unexpected(String wanted) {
    return source.error(peek(), "expected " + wanted + ", found " + peek());
  }

  /** What the file says from token {@code first} to the one just read, on one line. */
  private String text(int first) {
    int line = tokens.get(first).line();
    int last = tokens.get(at - 1).line();
    return source
        .text()
        .lines()
        .skip(line - 1L)
        .limit(last - line + 1L)
        .map(part -> part.replaceFirst("//.*", ""))
        .collect(Collectors.joining(" "))
        .strip()
        .replaceAll("\\s+", " ");
  }
}
