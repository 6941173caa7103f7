package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Right rewrites hold, and rewrites that someone tampered with do not. */
final class ProofTest {
  @TempDir Path folder;

  private static Replacement replacement(int hidden, int... experts) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    for (int expert : experts) {
      float[] novice = new float[hidden];
      for (int i = 0; i < hidden; i++) {
        novice[i] = 0.3f * (expert + 1) - 0.2f * i;
      }
      novices.put(expert, novice);
    }
    return Replacement.byNovices(novices);
  }

  private Verdict prove(
      Model model,
      Map<String, ? extends Change> replacements,
      int tokens,
      UnaryOperator<Model> tamper) {
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
    assertThat(blocks).extracting(MoeBlock::name).containsAll(replacements.keySet());
    Model rewritten = Rewriter.rewrite(Canonical.of(model), blocks, replacements);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(tamper.apply(rewritten), file, Placement.INLINE);
    TinyMoe any = Spelling.DYNAMO.of(3, 2, 4);
    List<Map<String, Tensor>> feeds =
        List.of(Map.of("x", any.tokens(tokens, 1)), Map.of("x", any.tokens(1, 2)));
    return new Proof(Canonical.of(model).model(), folder, blocks, replacements, RunOptions.cpu())
        .of(file, feeds);
  }

  private Verdict prove(TinyMoe tiny, UnaryOperator<Model> tamper, int... experts) {
    return prove(tiny.model(), Map.of("experts", replacement(4, experts)), 30, tamper);
  }

  private void finds(Verdict verdict) {
    assertThat(verdict.holds()).as(verdict.text()).isFalse();
    assertThat(verdict.worstBlock()).isGreaterThan(1e-3);
    assertThat(verdict.endToEnd()).isGreaterThan(1e-3);
  }

  @ParameterizedTest
  @CsvSource({
    "TORCHSCRIPT, 4, 2",
    "DYNAMO, 4, 2",
    "GATHERED, 4, 2",
    "GUARDED, 4, 2",
    "BRANCHED, 4, 2",
    "ROUNDS, 4, 2",
    "TORCHSCRIPT, 6, 1",
    "DYNAMO, 5, 4",
    "GATHERED, 6, 3",
    "SORTED, 4, 2",
    "GROUPED, 4, 2",
    "SORTED, 5, 4",
    "GROUPED, 6, 1",
    "FUSED, 4, 2",
    "FUSED, 6, 3",
    "FUSED, 5, 1",
  })
  void holdsForWhatTheRewriterDoes(Spelling spelling, int experts, int topK) {
    TinyMoe tiny = spelling.of(experts, topK, 4);

    for (int[] replaced : new int[][] {{1}, {0, 3}, {0, 1, 2}, {0, 1, 2, 3}}) {
      Verdict verdict = prove(tiny, model -> model, replaced);
      assertThat(verdict.holds()).as(verdict.text()).isTrue();
      assertThat(verdict.blockErrors()).containsOnlyKeys("experts");
      assertThat(verdict.flips()).isEmpty();
      assertThat(verdict.positions()).isEqualTo(31);
      assertThat(verdict.leftOut()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void holdsForRoutersThatAreCut(Spelling spelling) {
    TinyMoe tiny = spelling.of(6, 2, 4);
    for (Set<Integer> gone : List.of(Set.of(1), Set.of(0, 2, 5), Set.of(1, 2, 3, 4))) {
      Map<String, Change> changes = Map.of("experts", new Removal(new TreeSet<>(gone)));
      Verdict verdict = prove(tiny.model(), changes, 30, model -> model);

      assertThat(verdict.holds()).as(verdict.text()).isTrue();
      assertThat(verdict.blockErrors()).containsOnlyKeys("experts");
      assertThat(verdict.flips()).isEmpty();
      assertThat(verdict.leftOut()).isZero();
    }
  }

  /** Each slot's routing weight is scaled by a number of its expert's. */
  @ParameterizedTest
  @EnumSource(names = {"GATHERED", "GATHERED_FOR_TOKENS"})
  void holdsForRoutingWeightsThatExpertsScale(Spelling spelling) {
    TinyMoe tiny =
        spelling
            .of(6, 2, 4)
            .with("float[6, 5, 4] up", "float[6] scales = {1, 2, .5, 3, 1, 2}, float[6, 5, 4] up")
            .with(
                "gates = Div (best, total)",
                "shares = Div (best, total)\n  own = Gather <axis = 0> (scales, experts)\n"
                    + "  gates = Mul (shares, own)");
    for (Change change :
        List.of(replacement(4, 1, 3), new Removal(new TreeSet<>(Set.of(0, 2, 5))))) {
      Verdict verdict = prove(tiny.model(), Map.of("experts", change), 30, model -> model);

      assertThat(tiny.block().weights()).containsExactlyInAnyOrder("up", "down");
      assertThat(verdict.holds()).as(verdict.text()).isTrue();
      assertThat(verdict.blockErrors()).containsOnlyKeys("experts");
    }
  }

  @ParameterizedTest
  @EnumSource
  void findsAnotherRowInARouterThatWasCut(Spelling spelling) {
    TinyMoe tiny = spelling.of(6, 2, 4);
    Map<String, Change> changes = Map.of("experts", new Removal(new TreeSet<>(Set.of(1, 3))));
    List<Integer> order = List.of(1, 0, 2, 3);
    Verdict verdict =
        prove(
            tiny.model(),
            changes,
            30,
            model -> {
              Tensor router = model.graph().constant("mone.0/kept").orElseThrow();
              Tensor swapped = router.along(router.dims().indexOf(4L) == 0 ? 0 : 1, order);
              return TinyMoe.withInitializer(model, "mone.0/kept", swapped);
            });

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void findsExpertsThatAreGoneAndYetChosen(Spelling spelling) {
    TinyMoe tiny = spelling.of(6, 2, 4);
    Tensor none = new Tensor.Inline(ElementType.BOOL, List.of(6L), ByteBuffer.wrap(new byte[6]));
    Verdict verdict =
        prove(
            tiny.model(),
            Map.of("experts", new Removal(new TreeSet<>(Set.of(1, 3)))),
            30,
            model -> TinyMoe.withInitializer(model, "mone.0/gone", none));

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
  }

  /** The shares of the others are too small then: nothing else is wrong. */
  @Test
  void findsSharesOfExpertsThatAreGone() {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(6, 2, 4)
            .with("gates = Div (best, total)", "gates = Mul (best, half)")
            .with("int64[1] k", "float half = {0.5}, int64[1] k");
    Map<String, Change> changes = Map.of("experts", new Removal(new TreeSet<>(Set.of(1, 3))));
    assertThat(prove(tiny.model(), changes, 30, model -> model).holds()).isTrue();
    Verdict verdict =
        prove(
            tiny.model(),
            changes,
            30,
            model -> {
              Graph graph = model.graph();
              Node softmax = graph.producer("scores", "Softmax").orElseThrow();
              String unmasked = graph.producer(softmax.input(0), "Where").orElseThrow().input(2);
              List<Node> nodes = new ArrayList<>(graph.nodes());
              nodes.replaceAll(
                  node -> node.equals(softmax) ? node.withInputs(List.of(unmasked)) : node);
              return model.withGraph(graph.withNodes(nodes));
            });

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
    assertThat(verdict.flips()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void findsThatAnotherExpertWasCutOut(Spelling spelling) {
    TinyMoe tiny = spelling.of(6, 2, 4);
    Model other =
        Rewriter.rewrite(
            Canonical.of(tiny.model()),
            List.of(tiny.block()),
            Map.of("experts", new Removal(new TreeSet<>(Set.of(2, 3)))));
    Verdict verdict =
        prove(
            tiny.model(),
            Map.of("experts", new Removal(new TreeSet<>(Set.of(1, 3)))),
            30,
            model -> other);

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
  }

  @Test
  void findsAnotherBiasInARouterThatWasCut() {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(6, 2, 4)
            .with("logits = ", "near = ")
            .with("  scores =", "  logits = Add (near, bias)\n  scores =")
            .with("int64[1] k", "float[6] bias, int64[1] k");
    Map<String, Change> changes = Map.of("experts", new Removal(new TreeSet<>(Set.of(1, 3))));
    assertThat(prove(tiny.model(), changes, 30, model -> model).holds()).isTrue();
    Verdict verdict =
        prove(tiny.model(), changes, 30, model -> scaled(model, "mone.0/kept_1", 1.2f));

    assertThat(verdict.holds()).as(verdict.text()).isFalse();
  }

  @Test
  void holdsForBlocksThatShareTheirRouter() {
    Model twice = Spelling.DYNAMO.of(6, 2, 4).twice();
    Map<String, Change> changes =
        Map.of(
            "experts",
            new Removal(new TreeSet<>(Set.of(1, 3))),
            "second/experts",
            new Removal(new TreeSet<>(Set.of(0))));
    Verdict verdict = prove(twice, changes, 30, model -> model);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(verdict.blockErrors()).containsOnlyKeys("experts", "second/experts");
    assertThat(prove(twice, changes, 30, model -> swapped(model, "mone.1/kept")).holds()).isFalse();
  }

  private static Model swapped(Model model, String kept) {
    Tensor router = model.graph().constant(kept).orElseThrow();
    return TinyMoe.withInitializer(model, kept, router.rows(List.of(1, 0, 2, 3, 4)));
  }

  /** The router's input is wider than what the experts take and put out. */
  @ParameterizedTest
  @EnumSource(names = {"DYNAMO", "STACKED", "GATHERED", "SORTED", "FUSED"})
  void holdsForRoutersOfAnotherWidth(Spelling spelling) {
    TinyMoe tiny =
        spelling
            .of(6, 2, 4)
            .with("float[6, 4] router", "float[4, 7] first, float[6, 7] router")
            .with("  logits = ", "  near = MatMul (x, first)\n  deep = Relu (near)\n  logits = ")
            .with("(x, router)", "(deep, router)");

    assertThat(tiny.block().hidden()).isEqualTo(4);
    for (int[] replaced : new int[][] {{1}, {0, 1, 2, 3, 4, 5}}) {
      Verdict verdict = prove(tiny, model -> model, replaced);
      assertThat(verdict.holds()).as(verdict.text()).isTrue();
    }
  }

  @Test
  void holdsForBiasesThatAreGatheredForSortedRows() {
    TinyMoe biased =
        Spelling.GROUPED
            .of(4, 2, 4)
            .with("int64[1] k", "float[4, 5] inner, float[4, 4] outer, int64[1] k")
            .with(
                "  act = Tanh (in)",
                "  innerRows = Gather <axis = 0> (inner, sorted)\n"
                    + "  moved = Add (in, innerRows)\n  act = Tanh (moved)")
            .with("  raw = ", "  near = ")
            .with(
                "  list = Reshape",
                "  outerRows = Gather <axis = 0> (outer, sorted)\n"
                    + "  raw = Add (near, outerRows)\n  list = Reshape");

    assertThat(biased.block().weights()).contains("inner", "outer");
    for (int[] replaced : new int[][] {{1}, {0, 3}, {0, 1, 2, 3}}) {
      Verdict verdict = prove(biased, model -> model, replaced);
      assertThat(verdict.holds()).as(verdict.text()).isTrue();
    }
  }

  @Test
  void holdsForSortedRowsThatAreSplitAllAtOnce() {
    TinyMoe split =
        Spelling.SORTED
            .of(4, 2, 4)
            .with(
                "  end0 =",
                "  segment0, segment1, segment2, segment3 = Split <axis = 0> (rows, counts)\n"
                    + "  end0 =")
            .with("  segment0 = Slice (rows, bound0, bound1, zero, one)\n", "")
            .with("  segment1 = Slice (rows, bound1, bound2, zero, one)\n", "")
            .with("  segment2 = Slice (rows, bound2, bound3, zero, one)\n", "")
            .with("  segment3 = Slice (rows, bound3, bound, zero, one)\n", "")
            .with("  ends = CumSum (counts, id0)\n", "")
            .with("  end0 = Gather <axis = 0> (ends, id0)\n  bound1 = Unsqueeze (end0, zero)\n", "")
            .with("  end1 = Gather <axis = 0> (ends, id1)\n  bound2 = Unsqueeze (end1, zero)\n", "")
            .with("  end2 = Gather <axis = 0> (ends, id2)\n  bound3 = Unsqueeze (end2, zero)\n", "")
            .with("  end3 = Gather <axis = 0> (ends, id3)\n  bound = Unsqueeze (end3, zero)\n", "");

    for (int[] replaced : new int[][] {{1}, {0, 3}, {0, 1, 2, 3}}) {
      Verdict verdict = prove(split, model -> model, replaced);
      assertThat(verdict.holds()).as(verdict.text()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void holdsForTokensThatOnlyChooseReplacedExperts(Spelling spelling) {
    TinyMoe tiny = spelling.of(8, 1, 4);
    Verdict verdict =
        prove(
            tiny.model(),
            Map.of("experts", replacement(4, 1, 2, 3, 4, 5, 6, 7)),
            1,
            model -> model);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void holdsForEveryBlockThatSomethingIsReplacedIn(Spelling spelling) {
    Model twice = spelling.of(4, 2, 4).twice();
    Map<String, Replacement> both = new HashMap<>();
    both.put("experts", replacement(4, 1));
    both.put("second/experts", replacement(4, 0, 2));

    Verdict verdict = prove(twice, both, 30, model -> model);
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(verdict.blockErrors()).containsOnlyKeys("experts", "second/experts");

    both.remove("experts");
    Verdict one = prove(twice, both, 30, model -> model);
    assertThat(one.holds()).as(one.text()).isTrue();
    assertThat(one.blockErrors()).containsOnlyKeys("experts", "second/experts");
  }

  /** For each of these experts a novice that is this number everywhere. */
  private static Map<String, Replacement> filled(float number, int... experts) {
    float[] novice = new float[4];
    Arrays.fill(novice, number);
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    Arrays.stream(experts).forEach(expert -> novices.put(expert, novice));
    return Map.of("experts", Replacement.byNovices(novices));
  }

  /** Infinite in the oracle and in the file: alike, and yet no proof. */
  @Test
  void findsNovicesThatOverflow() {
    Verdict verdict =
        prove(Spelling.DYNAMO.of(4, 2, 4).model(), filled(3.3e38f, 1, 3), 30, model -> model);

    assertThat(verdict.broken())
        .containsExactly(
            "block 'experts' is not finite with these novices, expected finite numbers as in the"
                + " original");
    assertThat(verdict.holds()).isFalse();
  }

  @Test
  void findsOutputsThatOverflow() {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(4, 2, 4)
            .with("y = Add (x, routed)", "sum = Add (x, routed)\n  y = Mul (sum, far)")
            .with("int64[1] k", "float far = {2}, int64[1] k");
    Verdict verdict = prove(tiny.model(), filled(2.5e38f, 0, 1, 2, 3), 30, model -> model);

    assertThat(verdict.broken())
        .contains(
            "output 'y' is not finite with these novices, expected finite numbers as in the"
                + " original");
    assertThat(verdict.holds()).isFalse();
  }

  @Test
  void comparesTheTensorsOfASequence() {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(4, 2, 4)
            .with(
                "  y = Add (x, routed)",
                "  sum = Add (x, routed)\n  y = SequenceConstruct (x, sum)");
    Model model = tiny.model();
    Graph graph = model.graph();
    Model sequence = model.withGraph(graph.withOutputs(List.of(Value.undeclared("y"))));
    Map<String, Change> changes = Map.of("experts", replacement(4, 1, 3));

    assertThat(prove(sequence, changes, 30, UnaryOperator.identity()).holds()).isTrue();
    Verdict tampered = prove(sequence, changes, 30, written -> scaled(written, "down0", 1.5f));
    assertThat(tampered.endToEnd()).isGreaterThan(1e-3);
  }

  @Test
  void holdsForOutputsThatTheOriginalMasks() {
    TinyMoe tiny =
        Spelling.DYNAMO
            .of(4, 2, 4)
            .with("y = Add (x, routed)", "sum = Add (x, routed)\n  y = Add (sum, low)")
            .with("int64[1] k", "float[4] low = {0, -inf, 0, 0}, int64[1] k");
    Verdict verdict = prove(tiny, model -> model, 1, 3);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  @Test
  void blamesTheBlockThatIsWrong() {
    Model twice = Spelling.DYNAMO.of(4, 2, 4).twice();
    Map<String, Replacement> both =
        Map.of("experts", replacement(4, 1), "second/experts", replacement(4, 0, 2));
    Verdict verdict = prove(twice, both, 30, model -> scaled(model, "mone.1/novices", 1.5f));

    assertThat(verdict.blockErrors().get("experts")).isLessThan(1e-5);
    assertThat(verdict.blockErrors().get("second/experts")).isGreaterThan(1e-3);
  }

  private static Model scaled(Model model, String constant, float factor) {
    Tensor tensor = model.graph().constant(constant).orElseThrow();
    float[] values = tensor.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
    return TinyMoe.withInitializer(model, constant, Tensor.of(tensor.dims(), values));
  }

  /** The model with other values for the one int64 constant of the rewrite that has these. */
  private static Model renumbered(Model model, long[] values, long... otherwise) {
    List<String> found =
        TinyMoe.constants(model.graph()).keySet().stream()
            .filter(name -> name.startsWith("mone.0/ints"))
            .filter(name -> Arrays.equals(model.graph().integers(name).orElseThrow(), values))
            .toList();
    assertThat(found).hasSize(1);
    return TinyMoe.withInitializer(model, found.get(0), Tensor.vector(otherwise));
  }

  /** True where the routing weights of replaced experts are columns of a matrix. */
  private static boolean gathersRoutingWeights(Spelling spelling) {
    return spelling.hasMatrix() || spelling == Spelling.FUSED;
  }

  /** The model in which what the rewrite added reads another value. */
  private static Model reading(Model model, String value, String otherwise) {
    Graph graph = model.graph();
    List<Node> changed =
        graph.nodes().stream()
            .map(
                node ->
                    node.output().startsWith("mone.")
                        ? node.withInputs(
                            node.inputs().stream()
                                .map(read -> read.equals(value) ? otherwise : read)
                                .toList())
                        : node)
            .toList();
    assertThat(changed).isNotEqualTo(graph.nodes());
    return model.withGraph(graph.withNodes(changed));
  }

  @ParameterizedTest
  @EnumSource
  void findsANoviceThatIsScaled(Spelling spelling) {
    finds(prove(spelling.of(4, 2, 4), model -> scaled(model, "mone.0/novices", 1.5f), 1, 3));
  }

  @ParameterizedTest
  @EnumSource
  void findsNovicesThatAreSwapped(Spelling spelling) {
    finds(
        prove(
            spelling.of(4, 2, 4),
            gathersRoutingWeights(spelling)
                ? model -> renumbered(model, new long[] {1, 3, 1}, 3, 1, 1)
                : model -> renumbered(model, new long[] {2, 0, 2, 1}, 2, 1, 2, 0),
            1,
            3));
  }

  @ParameterizedTest
  @EnumSource
  void findsANoviceThatStandsForTheNextExpert(Spelling spelling) {
    finds(
        prove(
            spelling.of(4, 2, 4),
            gathersRoutingWeights(spelling)
                ? model -> renumbered(model, new long[] {1, 3, 1}, 2, 3, 1)
                : model -> renumbered(model, new long[] {2, 0, 2, 1}, 2, 2, 0, 1),
            1,
            3));
  }

  @Test
  void findsKeptExpertsThatAreRenumberedWrong() {
    finds(
        prove(
            Spelling.GATHERED.of(4, 2, 4),
            model -> renumbered(model, new long[] {0, 0, 1, 0}, 1, 0, 0, 0),
            1,
            3));
  }

  @Test
  void findsKeptExpertsThatAreNotComputed() {
    finds(
        prove(
            Spelling.GATHERED.of(4, 2, 4),
            model -> renumbered(model, new long[] {1, 0, 1, 0}, 1, 0, 0, 0),
            1,
            3));
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FUSED", "STACKED"})
  void findsRoutingWeightsFromBeforeTheyWereRescaled(Spelling spelling) {
    UnaryOperator<Model> tamper =
        spelling.hasMatrix()
            ? model -> reading(model, "matrix", "scores")
            : model -> reading(model, "gates", "best");
    finds(prove(spelling.of(4, 2, 4), tamper, 1, 3));
  }

  @Test
  void findsThatNothingReadsTheChoiceAnyMore() {
    UnaryOperator<Model> tamper = model -> reading(model, "matrix", "scores");
    Verdict verdict = prove(Spelling.STACKED.of(4, 2, 4), tamper, 1, 3);

    assertThat(verdict.holds()).isFalse();
    assertThat(verdict.text()).contains("its routing is not found: no node makes 'experts'");
  }

  /** Where expert 0's weight is in a rewritten model, alone or with others. */
  private static String weightOfExpert0(Spelling spelling) {
    return switch (spelling) {
      case GATHERED, GATHERED_FOR_TOKENS, STACKED, FUSED -> "mone.0/kept";
      case GROUPED, ROUNDS -> "down/kept";
      default -> "down0";
    };
  }

  @ParameterizedTest
  @EnumSource
  void findsAKeptExpertWithOtherWeights(Spelling spelling) {
    String weight = weightOfExpert0(spelling);
    finds(prove(spelling.of(4, 2, 4), model -> scaled(model, weight, 1.01f), 1, 3));
  }

  @ParameterizedTest
  @EnumSource
  void findsAKeptExpertWithOtherWeightsThatNoTokenChose(Spelling spelling) {
    String next = spelling == Spelling.FUSED ? "  experts =" : "  scores =";
    TinyMoe tiny =
        spelling
            .of(4, 2, 4)
            .with("logits = ", "near = ")
            .with(next, "  logits = Add (near, never)\n" + next)
            .with("int64[1] k", "float[4] never = {-99, 0, 0, 0}, int64[1] k");
    String weight = weightOfExpert0(spelling);
    UnaryOperator<Model> tamper =
        model -> {
          Tensor kept = model.graph().constant(weight).orElseThrow();
          float[] values = kept.toFloats();
          values[0] += 1;
          return TinyMoe.withInitializer(model, weight, Tensor.of(kept.dims(), values));
        };
    Verdict verdict = prove(tiny, tamper, 1, 3);

    assertThat(verdict.endToEnd()).isLessThan(1e-5);
    assertThat(verdict.worstBlock()).isGreaterThan(1e-3);
    assertThat(verdict.holds()).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void findsAnotherRouter(Spelling spelling) {
    Verdict verdict = prove(spelling.of(4, 2, 4), model -> scaled(model, "router", -1), 1, 3);

    assertThat(verdict.holds()).isFalse();
    assertThat(verdict.flips()).isNotEmpty();
    assertThat(verdict.leftOut()).isPositive();
  }

  @ParameterizedTest
  @EnumSource
  void findsThatAnotherExpertWasReplaced(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Map<String, Replacement> asked = Map.of("experts", replacement(4, 1));
    Map<String, Replacement> done =
        Map.of(
            "experts",
            Replacement.byNovices(new TreeMap<>(Map.of(2, asked.get("experts").novices().get(1)))));
    Model other = Rewriter.rewrite(Canonical.of(tiny.model()), List.of(tiny.block()), done);

    finds(prove(tiny.model(), asked, 30, model -> other));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FUSED")
  void overwritesExactlyTheReplacedRowsInTheOracle(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Map<String, Tensor> feeds = Map.of("x", tiny.tokens(30, 1));
    Map<String, Tensor> plain =
        TinyMoe.run(tiny.model(), feeds, List.of("experts", "gates", "routed"));
    float[] without =
        routed(tiny, feeds, Replacement.byNovices(new TreeMap<>(Map.of(2, new float[4]))));
    float[] with = routed(tiny, feeds, replacement(4, 2));
    long[] ids = plain.get("experts").toLongs();
    float[] gates = plain.get("gates").toFloats();
    float[] wanted = without.clone();
    float[] novice = replacement(4, 2).novices().get(2);
    for (int slot = 0; slot < ids.length; slot++) {
      for (int i = 0; i < 4; i++) {
        wanted[slot / 2 * 4 + i] += ids[slot] == 2 ? gates[slot] * novice[i] : 0;
      }
    }

    assertThat(with).containsExactly(wanted, within(1e-6f));
    assertThat(Arrays.stream(ids).filter(id -> id == 2).count()).isPositive();
    float[] original = plain.get("routed").toFloats();
    for (int token = 0; token < 30; token++) {
      boolean chose = ids[2 * token] == 2 || ids[2 * token + 1] == 2;
      assertThat(Arrays.equals(original, 4 * token, 4 * token + 4, with, 4 * token, 4 * token + 4))
          .isEqualTo(!chose);
    }
  }

  private static float[] routed(TinyMoe tiny, Map<String, Tensor> feeds, Replacement replacement) {
    Model oracle =
        Oracle.of(
                Canonical.of(tiny.model()).model(),
                List.of(tiny.block()),
                Map.of("experts", replacement))
            .model();
    float[] x = feeds.get("x").toFloats();
    float[] y = TinyMoe.run(oracle, feeds, List.of("y")).get("y").toFloats();
    float[] routed = TinyMoe.run(oracle, feeds, List.of("routed")).get("routed").toFloats();
    for (int i = 0; i < x.length; i++) {
      assertThat(y[i]).isEqualTo(x[i] + routed[i]);
    }
    return routed;
  }
}
