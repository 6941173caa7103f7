package io.moneonnx.passgen;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import io.moneonnx.passgen.PatternTree.Attribute;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The Java type of a captured attribute.
 *
 * @param accessor the method of {@code Bindings} that reads it
 */
record CaptureType(TypeName type, String accessor) {
  private static final CaptureType INTEGER = new CaptureType(TypeName.LONG, "integer");
  private static final CaptureType REAL = new CaptureType(TypeName.FLOAT, "real");
  private static final CaptureType TEXT = new CaptureType(ClassName.get(String.class), "text");
  private static final CaptureType INTEGERS =
      new CaptureType(ParameterizedTypeName.get(List.class, Long.class), "integers");

  private static final Map<String, CaptureType> BY_ATTRIBUTE =
      Map.ofEntries(
          Map.entry("activation_type", TEXT),
          Map.entry("alpha", REAL),
          Map.entry("axis", INTEGER),
          Map.entry("batch_dims", INTEGER),
          Map.entry("beta", REAL),
          Map.entry("equation", TEXT),
          Map.entry("epsilon", REAL),
          Map.entry("keepdims", INTEGER),
          Map.entry("largest", INTEGER),
          Map.entry("perm", INTEGERS),
          Map.entry("reduction", TEXT),
          Map.entry("to", INTEGER));

  /** The type of an attribute of this name; ONNX gives a name one type across operators. */
  static Optional<CaptureType> of(Attribute attribute) {
    return Optional.ofNullable(BY_ATTRIBUTE.get(attribute.name().text()));
  }
}
