package io.moneonnx.passgen;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import java.util.List;

/** The types of the run time that generated code speaks of, by name: they are compiled later. */
final class Names {
  static final String PASSES = "io.moneonnx.passes";

  static final ClassName GRAPH = ClassName.get("io.moneonnx.graph", "Graph");
  static final ClassName ATTRIBUTE = ClassName.get("io.moneonnx.graph", "Attribute");
  static final ClassName DIMENSION = ClassName.get("io.moneonnx.graph", "Dimension");
  static final ClassName PATTERN = match("Pattern");
  static final ClassName MATCHER = match("Matcher");
  static final ClassName BINDINGS = match("Bindings");
  static final ClassName CONSTANT = match("Constant");

  private Names() {}

  private static ClassName match(String name) {
    return ClassName.get("io.moneonnx.match", name);
  }

  /** The type generated for a pattern or a kind. */
  static ClassName pass(String name) {
    return ClassName.get(PASSES, name);
  }

  static TypeName listOf(TypeName item) {
    return ParameterizedTypeName.get(ClassName.get(List.class), item);
  }
}
