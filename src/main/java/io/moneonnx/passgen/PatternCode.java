package io.moneonnx.passgen;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
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
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** Java code that builds the {@code Pattern} that a file describes. */
record PatternCode(PatternTree pattern) {

  CodeBlock code() {
    return CodeBlock.of(
        "new $T($>\n$S,\n$S,\n$L,\n$L,\n$T.of($L),\n$L)$<",
        Names.PATTERN,
        pattern.name().text(),
        pattern.kind().text(),
        strings(pattern.inputs().stream().map(Variable::name).toList()),
        strings(pattern.outputs()),
        Set.class,
        all(pattern.through(), token -> CodeBlock.of("$S", token.text())),
        lines(pattern.statements(), this::statement));
  }

  private CodeBlock statement(Statement statement) {
    return create(
        "Statement",
        CodeBlock.of(
            "$S, $L, $L",
            statement.text(),
            strings(statement.results()),
            lines(statement.alternatives(), this::expression)));
  }

  private CodeBlock expression(Expression expression) {
    if (expression instanceof Same same) {
      return create("Same", CodeBlock.of("$S", same.name().text()));
    }
    Application application = (Application) expression;
    return create(
        "Application",
        CodeBlock.of(
            "$S, $T.of($L), $T.of($L)",
            application.operator().text(),
            List.class,
            all(application.attributes(), this::attribute),
            List.class,
            all(application.operands(), this::operand)));
  }

  private CodeBlock attribute(Attribute attribute) {
    String name = attribute.name().text();
    return attribute
        .capture()
        .map(capture -> create("Captured", CodeBlock.of("$S, $S", name, capture.text())))
        .orElseGet(
            () ->
                create(
                    "OneOf", CodeBlock.of("$S, $L", name, all(attribute.accepted(), this::value))));
  }

  private CodeBlock value(Value value) {
    if (value.list()) {
      return CodeBlock.of(
          "$T.ints($L)",
          Names.ATTRIBUTE,
          all(value.items(), item -> CodeBlock.of("$LL", item.text())));
    }
    Token item = value.items().get(0);
    if (item.kind() == Token.Kind.STRING) {
      return CodeBlock.of("$T.of($S)", Names.ATTRIBUTE, item.text());
    }
    return item.isInteger()
        ? CodeBlock.of("$T.of($LL)", Names.ATTRIBUTE, item.text())
        : CodeBlock.of("new $T.OfFloat($Lf)", Names.ATTRIBUTE, item.text());
  }

  private CodeBlock operand(Operand operand) {
    if (operand instanceof Anything) {
      return create("Anything", CodeBlock.of(""));
    } else if (operand instanceof Literal literal) {
      return create("Literal", all(literal.elements(), item -> CodeBlock.of("$Ld", item.text())));
    }
    Variable use = (Variable) operand;
    String name = use.name().text();
    List<Token> shape = shape(use);
    return pattern.isConstant(name) || pattern.isOptional(name)
        ? create(
            "Use",
            CodeBlock.of(
                "$S, $L, $L, $T.of($L)",
                name,
                pattern.isConstant(name),
                pattern.isOptional(name),
                List.class,
                all(shape, this::dimension)))
        : create("Use", CodeBlock.of("$S", name));
  }

  /** A use without a shape of its own has that of the signature. */
  private List<Token> shape(Variable use) {
    return use.shape().isEmpty()
        ? pattern.inputs().stream()
            .filter(input -> input.name().is(use.name().text()))
            .findFirst()
            .map(Variable::shape)
            .orElse(List.of())
        : use.shape();
  }

  private CodeBlock dimension(Token size) {
    return size.isInteger()
        ? CodeBlock.of("$T.of($LL)", Names.DIMENSION, size.text())
        : CodeBlock.of("$T.of($S)", Names.DIMENSION, size.text());
  }

  private static CodeBlock create(String nested, CodeBlock arguments) {
    ClassName type = Names.PATTERN.nestedClass(nested);
    return CodeBlock.of("new $T($L)", type, arguments);
  }

  private static CodeBlock strings(List<Token> tokens) {
    return CodeBlock.of(
        "$T.of($L)", List.class, all(tokens, token -> CodeBlock.of("$S", token.text())));
  }

  private static <T> CodeBlock all(List<T> items, Function<T, CodeBlock> code) {
    return items.stream().map(code).collect(CodeBlock.joining(", "));
  }

  private static <T> CodeBlock lines(List<T> items, Function<T, CodeBlock> code) {
    CodeBlock lines = items.stream().map(code).collect(CodeBlock.joining(",\n"));
    return CodeBlock.of("$T.of($>\n$L$<)", List.class, lines);
  }
}
