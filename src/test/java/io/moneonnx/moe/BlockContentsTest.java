package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlockContentsTest {
  private static BlockContents of(Model model) {
    Canonical canonical = Canonical.of(model);
    return BlockContents.of(canonical.model(), block(canonical));
  }

  private static MoeBlock block(Canonical canonical) {
    List<MoeBlock> found = new MoeFinder(Forms.all(Target.CPU)).find(canonical.graph()).blocks();
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private static Optional<String> difference(Model model, Model other) {
    return of(model).difference(of(other));
  }

  private static Model renamed(Model model) {
    return model.withGraph(
        TinyMoe.renamed(model.graph(), name -> name.isEmpty() ? name : "decode/" + name));
  }

  /** The model with another last byte of a constant. */
  private static Model touched(Model model, String constant) {
    Tensor tensor = model.graph().constant(constant).orElseThrow();
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.byteSize()).put(tensor.bytes());
    int last = bytes.position() - 1;
    bytes.put(last, (byte) (bytes.get(last) ^ 1));
    return TinyMoe.withInitializer(
        model, constant, new Tensor.Inline(tensor.type(), tensor.dims(), bytes.flip()));
  }

  @ParameterizedTest
  @EnumSource
  void namesMakeNoDifference(Spelling spelling) {
    Model model = spelling.of(4, 2, 4).model();

    assertThat(difference(model, renamed(model))).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void everyWeightOfEveryExpertCounts(Spelling spelling) {
    Model model = spelling.of(4, 2, 4).model();
    for (String weight : new TreeSet<>(block(Canonical.of(model)).weights())) {
      assertThat(difference(model, renamed(touched(model, weight))))
          .hasValue("'decode/%s' has other elements than '%s'".formatted(weight, weight));
    }
  }

  @ParameterizedTest
  @EnumSource
  void theRouterCounts(Spelling spelling) {
    Model model = spelling.of(4, 2, 4).model();
    String router = block(Canonical.of(model)).routing().router();

    assertThat(difference(model, touched(model, router))).isPresent();
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO", "LOOKUP", "BUFFER", "COLUMNS", "SUMS", "GUARDED"})
  void expertsHaveTheirPlace(Spelling spelling) {
    Model model = spelling.of(4, 2, 4).model();
    Model exchanged = model;
    for (String weight : List.of("up", "down")) {
      for (int expert : List.of(1, 2)) {
        exchanged =
            TinyMoe.withInitializer(
                exchanged,
                weight + expert,
                model.graph().constant(weight + (3 - expert)).orElseThrow());
      }
    }

    assertThat(difference(model, exchanged)).isPresent();
  }

  @Test
  void sizesCount() {
    assertThat(difference(Spelling.DYNAMO.of(4, 2, 4).model(), Spelling.DYNAMO.of(4, 1, 4).model()))
        .hasValue("expected 4 experts, top 2, hidden 4, found 4 experts, top 1, hidden 4");
  }

  @Test
  void whatExpertsComputeCounts() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);

    assertThat(
            difference(
                tiny.model(), tiny.with("act2 = Tanh (in2)", "act2 = Sigmoid (in2)").model()))
        .hasValue("'act2' is not computed as 'act2' is");
  }

  /** As in a graph for one token at a time, where an exporter knows sizes. */
  @Test
  void theLayoutOfActivationsDoesNotCount() {
    TinyMoe tiny = Spelling.BUFFER.of(4, 2, 4);

    assertThat(
            difference(
                tiny.model(),
                tiny.with("int64[3] bySlot = {-1, 2, 4}", "int64[3] bySlot = {1, 2, 4}").model()))
        .isEmpty();
  }
}
