package io.moneonnx.passgen;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.JavaFile;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.List;
import java.util.Optional;
import javax.lang.model.element.Modifier;

/** Writes the record of a pattern: its captures, and how to find them. */
record MatcherWriter(PatternTree pattern) {

  JavaFile write() {
    ClassName type = Names.pass(pattern.name().text());
    List<Component> components = Component.of(pattern);
    MethodSpec.Builder captures = MethodSpec.constructorBuilder();
    components.forEach(
        c -> captures.addParameter(ParameterSpec.builder(c.type(), c.name()).build()));
    TypeSpec record =
        TypeSpec.recordBuilder(type)
            .addJavadoc("$L", javadoc())
            .addModifiers(Modifier.PUBLIC)
            .recordConstructor(captures.build())
            .addSuperinterface(Names.pass(pattern.kind().text()))
            .addField(
                FieldSpec.builder(
                        Names.PATTERN, "PATTERN", Modifier.PUBLIC, Modifier.STATIC, Modifier.FINAL)
                    .initializer(new PatternCode(pattern).code())
                    .build())
            .addMethods(Finders.of(type, CodeBlock.of("$T.of(PATTERN)", List.class)))
            .addMethod(match(type))
            .addMethod(read(type, components))
            .build();
    return JavaFile.builder(Names.PASSES, record).skipJavaLangImports(true).build();
  }

  private String javadoc() {
    return pattern.comment().replace("&", "&amp;").replace("<", "&lt;").replace("*/", "*&#47;");
  }

  private MethodSpec match(ClassName type) {
    String result = pattern.outputs().get(pattern.outputs().size() - 1).text();
    return MethodSpec.methodBuilder("match")
        .addJavadoc("The match whose {@code $L} is this value.", result)
        .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
        .returns(ParameterizedTypeName.get(ClassName.get(Optional.class), type))
        .addParameter(Names.GRAPH, "graph")
        .addParameter(String.class, "result")
        .addStatement("return findAll(graph, $S, result).stream().findFirst()", result)
        .build();
  }

  private static MethodSpec read(ClassName type, List<Component> components) {
    return MethodSpec.methodBuilder("of")
        .addModifiers(Modifier.STATIC)
        .returns(type)
        .addParameter(Names.BINDINGS, "found")
        .addStatement(
            "return new $T(\n$L)",
            type,
            components.stream().map(Component::read).collect(CodeBlock.joining(",\n")))
        .build();
  }
}
