package io.moneonnx.passgen;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.JavaFile;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeSpec;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import javax.lang.model.element.Modifier;

/** Writes the sealed interface of a kind: what all its patterns capture, and how to find any. */
record KindWriter(String kind, List<PatternTree> patterns) {

  JavaFile write() {
    ClassName type = Names.pass(kind);
    TypeSpec.Builder sealed =
        TypeSpec.interfaceBuilder(type)
            .addJavadoc("Any pattern of kind {@code $L}.", kind)
            .addModifiers(Modifier.PUBLIC, Modifier.SEALED)
            .addPermittedSubclasses(patterns.stream().map(KindWriter::record).toList());
    common().forEach(component -> sealed.addMethod(accessor(component)));
    TypeSpec written =
        sealed
            .addMethod(patternList())
            .addMethods(Finders.of(type, CodeBlock.of("patterns()")))
            .addMethod(read(type))
            .build();
    return JavaFile.builder(Names.PASSES, written).skipJavaLangImports(true).build();
  }

  private static ClassName record(PatternTree pattern) {
    return Names.pass(pattern.name().text());
  }

  private Set<Component> common() {
    Set<Component> common = new LinkedHashSet<>(Component.of(patterns.get(0)));
    patterns.forEach(pattern -> common.retainAll(Component.of(pattern)));
    return common;
  }

  private static MethodSpec accessor(Component component) {
    return MethodSpec.methodBuilder(component.name())
        .addModifiers(Modifier.PUBLIC, Modifier.ABSTRACT)
        .returns(component.type())
        .build();
  }

  private MethodSpec patternList() {
    return MethodSpec.methodBuilder("patterns")
        .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
        .returns(Names.listOf(Names.PATTERN))
        .addStatement(
            "return $T.of($L)",
            List.class,
            patterns.stream()
                .map(pattern -> CodeBlock.of("$T.PATTERN", record(pattern)))
                .collect(CodeBlock.joining(", ")))
        .build();
  }

  private MethodSpec read(ClassName type) {
    CodeBlock.Builder body =
        CodeBlock.builder().add("return switch (found.pattern().name()) {\n").indent();
    for (PatternTree pattern : patterns) {
      body.add("case $S -> $T.of(found);\n", pattern.name().text(), record(pattern));
    }
    body.add("default -> throw new $T(found.toString());\n", IllegalStateException.class);
    return MethodSpec.methodBuilder("of")
        .addModifiers(Modifier.PRIVATE, Modifier.STATIC)
        .returns(type)
        .addParameter(Names.BINDINGS, "found")
        .addCode(body.unindent().add("};\n").build())
        .build();
  }
}
