package io.moneonnx.rewrite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a cut router leaves is the model that has only the kept experts to begin with. */
final class RemovalTest {
  private static final Pattern OF_EXPERT = Pattern.compile("(up|down)(\\d+)");

  private static Removal removal(Integer... experts) {
    return new Removal(new TreeSet<>(Set.of(experts)));
  }

  private static Model cut(Model model, MoeBlock block, Integer... experts) {
    return Rewriter.rewrite(
        Canonical.of(model), List.of(block), Map.of(block.name(), removal(experts)));
  }

  private static float[] run(Model model, TinyMoe tiny) {
    return TinyMoe.run(model, Map.of("x", tiny.tokens(25, 1)), List.of("y")).get("y").toFloats();
  }

  /** The model of a few experts, with the weights that they have in a model of more. */
  private static Model small(Model model, Model large, List<Integer> kept) {
    Model small = model;
    for (Initializer constant : model.graph().initializers().values()) {
      if (constant.tensor().type().isFloating() && constant.tensor().rank() > 1) {
        small = TinyMoe.withInitializer(small, constant.name(), of(constant, large, kept));
      }
    }
    return small;
  }

  private static Tensor of(Initializer constant, Model large, List<Integer> kept) {
    Matcher ofExpert = OF_EXPERT.matcher(constant.name());
    String name =
        ofExpert.matches()
            ? ofExpert.group(1) + kept.get(Integer.parseInt(ofExpert.group(2)))
            : constant.name();
    Tensor tensor = large.graph().constant(name).orElseThrow();
    List<Long> dims = constant.tensor().dims();
    return IntStream.range(0, dims.size())
        .filter(axis -> !dims.get(axis).equals(tensor.dims().get(axis)))
        .mapToObj(axis -> tensor.along(axis, kept))
        .findFirst()
        .orElse(tensor);
  }

  @ParameterizedTest
  @EnumSource
  void isTheModelOfTheKeptExperts(Spelling spelling) {
    TinyMoe large = spelling.of(7, 2, 4);
    TinyMoe few = spelling.of(3, 2, 4);
    Model after = cut(large.model(), large.block(), 1, 3, 4, 6);
    Model wanted = small(few.model(), large.model(), List.of(0, 2, 5));

    assertThat(run(after, large)).containsExactly(run(wanted, few), within(1e-6f));
    assertThat(run(large.model(), large)).isNotEqualTo(run(after, large));
    assertThat(DeadCode.remove(after.graph())).hasToString(after.graph().toString());
    assertThat(after.graph().initializers()).doesNotContainKey("router");
    assertThat(bytes(after)).isLessThan(bytes(large.model()) * 2 / 3);
  }

  /** Where two pairs are left there is no choice of pairs: they might as well be none. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "FUSED.*")
  void isTheModelOfTheKeptPairs(Spelling spelling) {
    TinyMoe large = spelling.of(8, 2, 4).inPairs();
    TinyMoe few = spelling.of(4, 2, 4);
    Model after = cut(large.model(), large.block(), 0, 1, 4, 5);
    Model wanted = small(few.model(), large.model(), List.of(2, 3, 6, 7));

    assertThat(run(after, large)).containsExactly(run(wanted, few), within(1e-6f));
    assertThat(run(large.model(), large)).isNotEqualTo(run(after, large));
  }

  @ParameterizedTest
  @EnumSource
  void mayLeaveNoChoice(Spelling spelling) {
    TinyMoe large = spelling.of(5, 2, 4);
    TinyMoe few = spelling.of(2, 2, 4);
    Model after = cut(large.model(), large.block(), 0, 2, 4);
    Model wanted = small(few.model(), large.model(), List.of(1, 3));

    assertThat(run(after, large)).containsExactly(run(wanted, few), within(1e-6f));
  }

  @Test
  void isSoInAnOperatorThatDoesNotRenormalise() {
    String normalised = "normalize_routing_weights = ";
    TinyMoe large = Spelling.FUSED.of(7, 2, 4).with(normalised + 1, normalised + 0);
    TinyMoe few = Spelling.FUSED.of(3, 2, 4).with(normalised + 1, normalised + 0);
    Model after = cut(large.model(), large.block(), 1, 3, 4, 6);
    Model wanted = small(few.model(), large.model(), List.of(0, 2, 5));

    assertThat(run(after, large)).containsExactly(run(wanted, few), within(1e-6f));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void isSoInAnOperatorThatIsGivenShares(int normalised) {
    String sharing = "experts = Softmax <axis = -1> (logits)";
    String normalise = "normalize_routing_weights = ";
    TinyMoe large =
        Spelling.FUSED
            .of(7, 2, 4)
            .with("experts = Reshape (logits, all)", sharing)
            .with(normalise + 1, normalise + normalised);
    TinyMoe few =
        Spelling.FUSED
            .of(3, 2, 4)
            .with("experts = Reshape (logits, all)", sharing)
            .with(normalise + 1, normalise + normalised);
    Model after = cut(large.model(), large.block(), 1, 3, 4, 6);
    Model wanted = small(few.model(), large.model(), List.of(0, 2, 5));

    assertThat(run(after, large)).containsExactly(run(wanted, few), within(1e-6f));
  }

  /** Then experts that are gone may be chosen with a routing weight of 0. */
  @ParameterizedTest
  @EnumSource
  void isSoWhereShareOfAKeptExpertVanishes(Spelling spelling) {
    TinyMoe large = spelling.of(7, 2, 4);
    TinyMoe few = spelling.of(3, 2, 4);
    Tensor router = large.model().graph().constant("router").orElseThrow();
    float[] values = router.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= 1e3f;
    }
    Model steep =
        TinyMoe.withInitializer(large.model(), "router", Tensor.of(router.dims(), values));
    Model after = cut(steep, large.block(), 0, 1, 3, 4);
    Model wanted = small(few.model(), steep, List.of(2, 5, 6));

    assertThat(run(after, large)).containsExactly(run(wanted, few), within(1e-6f));
  }

  private static long bytes(Model model) {
    return model
        .tensors()
        .filter(tensor -> tensor.type().isFloating())
        .mapToLong(Tensor::byteSize)
        .sum();
  }

  private static String added(Model before, Model after) {
    List<String> old = before.graph().toString().lines().map(String::strip).toList();
    return after
        .graph()
        .toString()
        .lines()
        .map(line -> line.strip().replaceAll("^<|,$|>$", ""))
        .filter(line -> !old.contains(line) && !old.contains(line + ","))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  @Test
  void cutsTheRowsOfTheRouter() {
    TinyMoe tiny = Spelling.PICKED.of(4, 2, 4);

    Model after = cut(tiny.model(), tiny.block(), 1, 3);

    assertThat(added(tiny.model(), after))
        .contains(
            """
            bool[4] mone.0/gone = {0, 1, 0, 1}
            float mone.0/never = {-inf}
            """)
        .contains(
            """
            mone.0/Gemm = Gemm <transB = 1> (x, mone.0/kept)
            mone.0/Gather = Gather <axis = -1> (mone.0/Gemm, mone.0/ints)
            mone.0/Where = Where (mone.0/gone, mone.0/never, mone.0/Gather)
            scores = Softmax <axis = -1> (mone.0/Where)
            """);
    assertThat(after.graph().constant("mone.0/kept").orElseThrow().toFloats())
        .isEqualTo(tiny.graph().constant("router").orElseThrow().rows(List.of(0, 2)).toFloats());
    assertThat(after.graph().integers("mone.0/ints")).contains(new long[] {0, 0, 1, 0});
  }

  @Test
  void leavesASharedRouterToTheOtherBlock() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Model twice = tiny.twice();
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(twice).graph()).blocks();
    assertThat(blocks).hasSize(2);
    Graph after =
        Rewriter.rewrite(Canonical.of(twice), blocks, Map.of(blocks.get(1).name(), removal(0, 2)))
            .graph();

    assertThat(after.initializers()).containsKeys("router", "mone.1/kept", "up0", "up2");
    assertThat(after.initializers().get("router").tensor().dims()).containsExactly(4L, 4L);
    assertThat(after.initializers().get("mone.1/kept").tensor().dims()).containsExactly(2L, 4L);
  }

  @Test
  void saysWhatIsGoneAndThatTheRouterIsCut() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);

    assertThat(cut(tiny.model(), tiny.block(), 3, 1).metadata())
        .containsEntry(
            "expert_substitution",
            "{'version':1,'router_semantics':{'preserve_logical_expert_ids':true,'preserve_router_weights':false,'renormalize_after_substitution':false},'targets':{'experts':{'num_logical_experts':4,'weight_layout':'compact_retained_experts','replacements':{},'removed':[1,3]}}}"
                .replace('\'', '"'));
  }

  @Test
  void leavesAsManyAsAreChosen() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);

    assertThatThrownBy(() -> cut(tiny.model(), tiny.block(), 0, 1, 3))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "block 'experts': its router cannot be cut: 1 of 4 experts would be left to a router"
                + " that is cut and chooses 2");
  }

  @Test
  void leavesAsManyToPairsAsAreChosen() {
    TinyMoe tiny = Spelling.DYNAMO.of(12, 3, 4).inPairs();
    assertThat(cut(tiny.model(), tiny.block(), 1, 3, 10).graph().nodes()).isNotEmpty();

    TinyMoe less =
        tiny.with("int64[1] pairBest = {1}", "int64[1] pairBest = {1}, int64[1] two = {2}");
    TinyMoe two = less.with("(pairRanks, k)", "(pairRanks, two)");
    assertThatThrownBy(() -> cut(two.model(), two.block(), 1, 8))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "block 'experts': its router cannot be cut: it chooses 2 of 6 groups of 2 experts, and"
                + " from these 3 experts, but would find only 2 in 0-1 and 8-9: prune fewer, or"
                + " protect some of these (--protect)");
  }

  @Test
  void refusesARouterWithCapacities() {
    assertThatThrownBy(() -> cut(SwitchMoe.model(), SwitchMoe.block(), 1))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no capacity left");
  }
}
