package io.moneonnx.passgen;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One component of a generated record.
 *
 * @param accessor the method of {@code Bindings} that reads it
 */
record Component(String name, TypeName type, String accessor) {

  /** The inputs of the signature, the captured attributes, the outputs of the signature. */
  static List<Component> of(PatternTree pattern) {
    List<Component> components = new ArrayList<>();
    pattern.inputs().forEach(input -> components.add(value(input.name().text(), pattern)));
    pattern.captures().map(Component::attribute).distinct().forEach(components::add);
    pattern.outputs().forEach(output -> components.add(value(output.text(), pattern)));
    return components;
  }

  private static Component value(String name, PatternTree pattern) {
    boolean constant = pattern.isConstant(name);
    TypeName type = constant ? Names.CONSTANT : ClassName.get(String.class);
    return pattern.isOptional(name)
        ? new Component(
            name,
            ParameterizedTypeName.get(ClassName.get(Optional.class), type),
            constant ? "findConstant" : "find")
        : new Component(name, type, constant ? "constant" : "value");
  }

  private static Component attribute(PatternTree.Attribute attribute) {
    CaptureType type = CaptureType.of(attribute).orElseThrow();
    return new Component(attribute.capture().orElseThrow().text(), type.type(), type.accessor());
  }

  CodeBlock read() {
    return CodeBlock.of("found.$L($S)", accessor, name);
  }
}
