package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.NarrowMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights that a graph cuts out of larger constants. */
final class PartedWeightsTest {
  private static final int EXPERTS = 4;

  @TempDir Path folder;

  /** The block whose weights {@code nodes} cut out of {@code constants}. */
  private static TinyMoe parted(Spelling spelling, String constants, String nodes) {
    TinyMoe tiny = spelling.of(EXPERTS, 2, 4);
    String text =
        tiny.text()
            .replaceAll(",\\s*float\\[[^]]*] (up|down)\\d?(?=[,>])", "")
            .replace("int64[1] k =", SIZES + constants + ", int64[1] k =")
            .replace("  logits =", nodes + "  logits =");
    return new TinyMoe(spelling, EXPERTS, 2, 4, text);
  }

  private static final String SIZES =
      "int64[1] c0 = {0}, int64[1] c1 = {1}, int64[1] c2 = {2}, int64[1] c3 = {3},"
          + " int64[1] c4 = {4}, int64[1] c5 = {5}, int64[1] c8 = {8}, int64[1] c10 = {10},"
          + " int64[1] c12 = {12}, int64[1] c15 = {15}, int64[1] c16 = {16}, int64[1] c20 = {20},"
          + " int64[2] c55 = {5, 5}, int64[4] c4444 = {4, 4, 4, 4}, int64[4] c5555 = {5, 5, 5, 5},"
          + " int64[2] c41 = {4, 1}, ";

  private static String each(String nodes) {
    return IntStream.range(0, EXPERTS)
        .mapToObj(
            e ->
                nodes
                    .replace("$4e", "c" + 4 * e)
                    .replace("$4n", "c" + 4 * (e + 1))
                    .replace("$5e", "c" + 5 * e)
                    .replace("$5n", "c" + 5 * (e + 1))
                    .replace("$ce", "c" + e)
                    .replace("$cn", "c" + (e + 1))
                    .replace("$e", Integer.toString(e)))
        .collect(Collectors.joining());
  }

  static Stream<Arguments> parts() {
    String halves =
        """
          up, turned = Split <axis = 1> (both, c55)
          down = Transpose <perm = [0, 2, 1]> (turned)
        """;
    String turnedHalves =
        """
          swapped, down = Split <axis = 1> (both, c55)
          up = Transpose <perm = [0, 2, 1]> (swapped)
        """;
    return Stream.of(
        Arguments.of(
            "rows of one matrix",
            parted(
                Spelling.TORCHSCRIPT,
                "float[16, 5] ups, float[20, 4] downs",
                "  up0, up1, up2, up3 = Split <axis = 0> (ups, c4444)\n"
                    + each("  down$e = Slice (downs, $5e, $5n, c0)\n"))),
        Arguments.of(
            "columns of one matrix",
            parted(
                Spelling.TORCHSCRIPT,
                "float[4, 20] ups, float[5, 16] downs",
                "  up0, up1, up2, up3 = Split <axis = 1> (ups, c5555)\n"
                    + each("  down$e = Slice (downs, $4e, $4n, c1)\n"))),
        Arguments.of(
            "halves of each expert's",
            parted(
                Spelling.TORCHSCRIPT,
                "float[10, 4] both0, float[10, 4] both1, float[10, 4] both2, float[10, 4] both3",
                each(
                    """
                      turned$e, down$e = Split <axis = 0> (both$e, c55)
                      up$e = Transpose <perm = [1, 0]> (turned$e)
                    """))),
        Arguments.of(
            "rows of halves",
            parted(
                Spelling.TORCHSCRIPT,
                "float[4, 10, 4] both",
                turnedHalves.replace("up =", "ups =").replace(", down", ", downs")
                    + each(
                        """
                          up$e = Gather <axis = 0> (ups, id$e)
                          down$e = Gather <axis = 0> (downs, id$e)
                        """))),
        Arguments.of(
            "halves of rows",
            parted(
                Spelling.TORCHSCRIPT,
                "float[4, 10, 4] both",
                "  own0, own1, own2, own3 = Split <axis = 0, num_outputs = 4> (both)\n"
                    + each(
                        """
                          flat$e = Squeeze (own$e, c0)
                          turned$e, down$e = Split <axis = 0> (flat$e, c55)
                          up$e = Transpose <perm = [1, 0]> (turned$e)
                        """))),
        Arguments.of(
            "rows of a cast matrix",
            parted(
                Spelling.COLUMNS,
                "float16[20, 4] ups, float16[16, 5] downs",
                """
                  wide = Cast <to = 1> (ups)
                  up0, up1, up2, up3 = Split <axis = 0> (wide, c5555)
                """
                    + each(
                        """
                          stored$e = Slice (downs, $4e, $4n, c0)
                          down$e = Cast <to = 1> (stored$e)
                        """))),
        Arguments.of("gathered", parted(Spelling.GATHERED, "float[4, 10, 4] both", halves)),
        Arguments.of(
            "gathered slices",
            parted(
                Spelling.GATHERED,
                "float[4, 10, 4] both",
                """
                  up = Slice (both, c0, c5, c1)
                  turned = Slice (both, c5, c10, c1)
                  down = Transpose <perm = [0, 2, 1]> (turned)
                """)),
        Arguments.of(
            "gathered beside another",
            parted(
                Spelling.GATHERED,
                "float[5, 10, 4] all",
                "  both, shared = Split <axis = 0> (all, c41)\n" + halves)),
        Arguments.of("fused", parted(Spelling.FUSED, "float[4, 10, 4] both", halves)),
        Arguments.of("stacked", parted(Spelling.STACKED, "float[4, 10, 4] both", turnedHalves)),
        Arguments.of("grouped", parted(Spelling.GROUPED, "float[4, 10, 4] both", turnedHalves)),
        Arguments.of(
            "rounds of a loop", parted(Spelling.ROUNDS, "float[4, 10, 4] both", turnedHalves)));
  }

  private static long floats(Model model) {
    return model.graph().initializers().values().stream()
        .map(Initializer::tensor)
        .filter(
            tensor -> tensor.type() == ElementType.FLOAT || tensor.type() == ElementType.FLOAT16)
        .mapToLong(tensor -> tensor.byteSize())
        .sum();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("parts")
  void goWithTheirExperts(String name, TinyMoe tiny) {
    Model model = tiny.model();
    MoeBlock block = tiny.block();
    long router = model.graph().constant("router").orElseThrow().byteSize();
    for (List<Integer> pruned : List.of(List.of(1), List.of(0, 3), List.of(0, 1, 2))) {
      TreeMap<Integer, float[]> novices = new TreeMap<>();
      pruned.forEach(e -> novices.put(e, new float[] {0.5f * e, 1, -0.25f, 2}));
      Map<String, Replacement> replacements = Map.of(block.name(), Replacement.byNovices(novices));
      Model rewritten = Rewriter.rewrite(Canonical.of(model), List.of(block), replacements);
      Path file = folder.resolve("rewritten" + pruned.size() + ".onnx");
      OnnxWriter.write(rewritten, file, Placement.INLINE);
      Verdict verdict =
          new Proof(
                  Canonical.of(model).model(),
                  folder,
                  List.of(block),
                  replacements,
                  RunOptions.cpu())
              .of(file, List.of(Map.of("x", tiny.tokens(25, 1))));

      assertThat(verdict.holds()).as(verdict.text()).isTrue();
      long kept = (floats(model) - router) * (EXPERTS - pruned.size()) / EXPERTS;
      assertThat(floats(rewritten) - router)
          .as(rewritten.graph().toString())
          .isLessThanOrEqualTo(kept + 4 * 4 * EXPERTS); // and the novices
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("parts")
  void areNarrowedEachForItself(String name, TinyMoe tiny) {
    boolean isShared = tiny.spelling().isStacked() && tiny.spelling() != Spelling.ROUNDS;
    if (tiny.spelling() == Spelling.STACKED) {
      assertThatThrownBy(() -> NarrowMoe.proved(tiny, folder))
          .hasMessageContaining("the weight 'up' is made of its constants otherwise than by");
      return;
    }
    Model narrowed = NarrowMoe.proved(tiny, folder);
    int unread = name.endsWith("beside another") && isShared ? 10 * 4 : 0;
    // Expert 3 keeps all its neurons: where its old down projection lies beside its up projection
    // in a constant of all experts, the place stays.
    boolean stays = Set.of("rows of halves", "halves of rows", "rounds of a loop").contains(name);
    unread -= stays ? 5 * 4 : 0;

    assertThat(floats(tiny.model()) - floats(narrowed))
        .as(narrowed.graph().toString())
        .isEqualTo(4L * ((isShared ? 8 : 6) * 8 + unread));
  }
}
