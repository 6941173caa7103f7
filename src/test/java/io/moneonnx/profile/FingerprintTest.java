package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FingerprintTest {
  private static final Model MODEL =
      model(
          """
          block (float[T, 64] x) => (float[T, 64] y)
          <float[64, 64] router, float[64, 64] expert>
          {
            h = MatMul (x, router)
            y = MatMul (h, expert)
          }
          """);

  private static final String FINGERPRINT = of(MODEL);

  @TempDir Path folder;

  @Test
  void doesNotDependOnWhereBytesLieNorOnMetadata() throws IOException {
    Path file = folder.resolve("weights");
    Files.write(file, new byte[100]);
    Model moved =
        MODEL.withGraph(
            withTensor(
                "expert",
                tensor -> {
                  byte[] bytes = bytes(tensor);
                  write(file, bytes);
                  return new Tensor.External(
                      tensor.type(),
                      tensor.dims(),
                      List.of(
                          new FileRange(file, 0, 5000),
                          new FileRange(file, 5000, bytes.length - 5000)));
                }));

    assertThat(FINGERPRINT).matches("sha256:[0-9a-f]{32}");
    assertThat(of(moved)).isEqualTo(FINGERPRINT);
    assertThat(of(MODEL.withMetadata("author", "someone"))).isEqualTo(FINGERPRINT);
  }

  @Test
  void seesEveryByteOfARouter() {
    assertThat(of(MODEL.withGraph(withByteFlipped("router", 1111)))).isNotEqualTo(FINGERPRINT);
  }

  @Test
  void seesTheEndsOfEveryOtherTensor() {
    assertThat(of(MODEL.withGraph(withByteFlipped("expert", 0)))).isNotEqualTo(FINGERPRINT);
    assertThat(of(MODEL.withGraph(withByteFlipped("expert", 64 * 64 * 4 - 1))))
        .isNotEqualTo(FINGERPRINT);
  }

  @Test
  void seesTheGraph() {
    Model other =
        model(
            """
            block (float[T, 64] x) => (float[T, 64] y)
            <float[64, 64] router, float[64, 64] expert>
            {
              h = MatMul (x, expert)
              y = MatMul (h, router)
            }
            """);

    assertThat(of(other)).isNotEqualTo(FINGERPRINT);
  }

  private static String of(Model model) {
    return Fingerprint.of(model, Set.of("router"));
  }

  @Test
  void tellsOperatorsOfOtherDomainsApart() {
    String text = MODEL.graph().toString();
    assertThat(of(model(text.replace("y = MatMul", "y = local.MatMul")))).isNotEqualTo(FINGERPRINT);
  }

  @Test
  void tellsDomainsInBodiesApart() {
    String text =
        """
        g (bool c, float x) => (float y)
        {
          y = If <then_branch = t () => (float p) { p = Gelu (x) },
                  else_branch = e () => (float q) { q = Identity (x) }> (c)
        }
        """;

    assertThat(of(model(text))).isNotEqualTo(of(model(text.replace("Gelu", "local.Gelu"))));
  }

  @Test
  void dependsOnWhatFunctionsCompute() {
    Model calls = model(MODEL.graph().toString().replace("y = MatMul", "y = local.ffn"));
    assertThat(of(with(calls, "MatMul")))
        .isEqualTo(of(with(calls, "MatMul")))
        .isNotEqualTo(of(with(calls, "Gemm")))
        .isNotEqualTo(of(calls));
  }

  private static Model with(Model calls, String operator) {
    Graph body =
        GraphText.parse("f (float a, float b) => (float c) { c = %s (a, b) }".formatted(operator));
    return calls.withFunctions(
        List.of(
            new Function(
                "local",
                "ffn",
                "",
                List.of("a", "b"),
                List.of("c"),
                List.of(),
                Map.of(),
                body.nodes(),
                Map.of("", 18L),
                UnknownFields.NONE)));
  }

  private static Model model(String text) {
    return new Model(GraphText.parse(text), 10, Map.of("", 18L), Map.of(), UnknownFields.NONE);
  }

  private static Graph withByteFlipped(String initializer, int at) {
    return withTensor(
        initializer,
        tensor -> {
          byte[] bytes = bytes(tensor);
          bytes[at] ^= 1;
          return new Tensor.Inline(ElementType.FLOAT, tensor.dims(), ByteBuffer.wrap(bytes));
        });
  }

  private static Graph withTensor(String initializer, UnaryOperator<Tensor> change) {
    Graph graph = MODEL.graph();
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.compute(
        initializer, (name, old) -> Initializer.of(name, change.apply(old.tensor())));
    return new Graph(
        graph.name(),
        graph.nodes(),
        initializers,
        graph.inputs(),
        graph.outputs(),
        Map.of(),
        UnknownFields.NONE);
  }

  private static byte[] bytes(Tensor tensor) {
    byte[] bytes = new byte[Math.toIntExact(tensor.byteSize())];
    tensor.bytes().get(bytes);
    return bytes;
  }

  private static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
