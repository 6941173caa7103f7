package io.moneonnx.passgen;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import java.util.List;
import javax.lang.model.element.Modifier;

/** The search methods that every generated type has. */
final class Finders {
  private Finders() {}

  /** {@code findAll}, anywhere or from one value on, by {@code patterns}. */
  static List<MethodSpec> of(ClassName type, CodeBlock patterns) {
    return List.of(
        start(type)
            .addJavadoc("Every match in the graph.")
            .addStatement(found("$T.findAll(graph, $L)"), Names.MATCHER, patterns, type)
            .build(),
        start(type)
            .addJavadoc("Every match in which {@code name}, of the signature, is this value.")
            .addParameter(String.class, "name")
            .addParameter(String.class, "value")
            .addStatement(
                found("$T.findAll(graph, $L, name, value)"), Names.MATCHER, patterns, type)
            .build());
  }

  private static MethodSpec.Builder start(ClassName type) {
    return MethodSpec.methodBuilder("findAll")
        .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
        .returns(Names.listOf(type))
        .addParameter(Names.GRAPH, "graph");
  }

  /** The call, each of its matches read into the type. */
  private static String found(String call) {
    return "return " + call + ".stream().map($T::of).toList()";
  }
}
