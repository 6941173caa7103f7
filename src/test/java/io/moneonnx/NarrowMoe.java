package io.moneonnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Model;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Tiny blocks whose experts are narrowed, and what their experts may compute instead. */
public final class NarrowMoe {
  private NarrowMoe() {}

  /** What an expert computes between its rows and its output. */
  public enum Body {
    /** {@code tanh (x up) down}. */
    PLAIN {
      @Override
      TinyMoe in(TinyMoe tiny) {
        return tiny;
      }
    },
    /** A gate of its own. */
    GATED {
      @Override
      TinyMoe in(TinyMoe tiny) {
        return rewritten(tiny, "float[$1] up$2, float[$1] gating$2", BIASED, GATES);
      }
    },
    /** Gates behind which ups lie, with biases. */
    CONCATENATED {
      @Override
      TinyMoe in(TinyMoe tiny) {
        return rewritten(doubled(tiny), BIASES, BIASED, HALVES);
      }
    },
    /** The same, cut by ranges. */
    SLICED {
      @Override
      TinyMoe in(TinyMoe tiny) {
        return rewritten(doubled(tiny), BIASES, BIASED, RANGES);
      }
    },
    /** Gates and ups by turns, with biases. */
    INTERLEAVED {
      @Override
      TinyMoe in(TinyMoe tiny) {
        return rewritten(doubled(tiny), BIASES, BIASED, TURNS);
      }
    },
    /** The same, picked by their numbers. */
    PICKED {
      @Override
      TinyMoe in(TinyMoe tiny) {
        return rewritten(doubled(tiny), BIASES, BIASED, NUMBERS);
      }
    };

    abstract TinyMoe in(TinyMoe tiny);

    /** A block of four experts, of which a token chooses two, hidden 4 and inner 5. */
    public TinyMoe of(Spelling spelling) {
      return in(spelling.of(4, 2, 4));
    }

    private static final String BIASES =
        "float[$1] up$2, float[10] upBias$2, float[4] downBias$2, float[5] scale$2";

    private static final String BIASED =
        """
          near$1 = $2 (act$1, down$1)
          $3$1 = Add (near$1, downBias$1)
        """;

    private static final String GATES =
        """
          in$1 = $2 ($3, up$1)
          gated$1 = $2 ($3, gating$1)
          silu$1 = Sigmoid (gated$1)
          swish$1 = Mul (silu$1, gated$1)
          act$1 = Mul (swish$1, in$1)
        """;

    private static final String BOTH =
        """
          in$1 = $2 ($3, up$1)
          both$1 = Add (upBias$1, in$1)
        """;

    private static final String MULTIPLIED =
        """
          lid$1 = Sigmoid (g$1)
          half$1 = Mul (lid$1, u$1)
          act$1 = Mul (half$1, scale$1)
        """;

    private static final String HALVES =
        BOTH + "  g$1, u$1 = Split <axis = 1> (both$1, fives)\n" + MULTIPLIED;

    private static final String RANGES =
        BOTH
            + """
              g$1 = Slice (both$1, zero, five, last)
              u$1 = Slice (both$1, five, ten, last)
            """
            + MULTIPLIED;

    private static final String TURNS =
        BOTH
            + """
              g$1 = Slice (both$1, zero, ten, last, two)
              u$1 = Slice (both$1, one, ten, last, two)
            """
            + MULTIPLIED;

    private static final String NUMBERS =
        BOTH
            + """
              g$1 = Gather <axis = -1> (both$1, even)
              u$1 = Gather <axis = -1> (both$1, odd)
            """
            + MULTIPLIED;

    private static TinyMoe doubled(TinyMoe tiny) {
      return with(
          tiny, tiny.text().replaceAll("float\\[((\\d), )?5(, 4)?] up", "float[$110$3] up"));
    }

    private static TinyMoe rewritten(TinyMoe tiny, String weights, String last, String between) {
      String operator = "(MatMul|Gemm <transB = 1>)";
      String text =
          tiny.text()
              .replaceAll("float\\[([^]]*)] up(\\d)", weights)
              .replaceAll(
                  "  in(\\d) = " + operator + " \\((\\w+), up\\d\\)\n *act\\d = Tanh \\(in\\d\\)\n",
                  between)
              .replace(
                  "int64[1] k =",
                  "int64[2] fives = {5, 5}, int64[1] five = {5}, int64[1] ten = {10},"
                      + " int64[5] even = {0, 2, 4, 6, 8}, int64[5] odd = {1, 3, 5, 7, 9},"
                      + " int64[1] k =");
      return with(
          tiny,
          text.contains("downBias")
              ? text.replaceAll(
                  "  (?:raw|piece)(\\d) = " + operator + " \\(act\\d, down\\d\\)\n",
                  last.replace("$3", text.contains("piece") ? "piece" : "raw"))
              : text);
    }
  }

  /** Blocks of four experts whose weights are stacked, hidden 4 and inner 5. */
  public enum Stack {
    /** Gathered for each slot. */
    GATHERED {
      @Override
      TinyMoe of() {
        return Spelling.GATHERED.of(4, 2, 4);
      }
    },
    /** Gates behind which ups lie, cut where the shape says, with biases that are gathered too. */
    GATHERED_HALVES {
      @Override
      TinyMoe of() {
        return GATHERED
            .of()
            .with("float[4, 5, 4] up,", "float[4, 10, 4] up, float[4, 10] upBias,")
            .with(
                "  act = Tanh (in)\n",
                """
                  flat = Squeeze (in, last)
                  upBiases = Gather <axis = 0> (upBias, ids)
                  both = Add (flat, upBiases)
                  size = Shape (both)
                  width = Gather <axis = 0> (size, one)
                  half = Div (width, two)
                  end = Mul (half, two)
                  g = Slice (both, zero, half, one)
                  u = Slice (both, half, end, one)
                  lid = Sigmoid (g)
                  mixed = Mul (lid, u)
                  act = Unsqueeze (mixed, last)
                """);
      }
    },
    /** Gathered, and turned behind that. */
    GATHERED_TURNED {
      @Override
      TinyMoe of() {
        return GATHERED
            .of()
            .with(
                "float[4, 5, 4] up, float[4, 4, 5] down", "float[4, 4, 5] up, float[4, 5, 4] down")
            .with("  ups =", "  upRows =")
            .with(
                "  in = MatMul (ups",
                "  ups = Transpose <perm = [0, 2, 1]> (upRows)\n  in = MatMul (ups")
            .with("  downs =", "  downRows =")
            .with(
                "  out = MatMul (downs",
                "  downs = Transpose <perm = [0, 2, 1]> (downRows)\n  out = MatMul (downs");
      }
    },
    /** Multiplied with all tokens. */
    STACKED {
      @Override
      TinyMoe of() {
        return Spelling.STACKED.of(4, 2, 4);
      }
    },
    /** Gates and ups by turns, with biases. */
    STACKED_PAIRS {
      @Override
      TinyMoe of() {
        return STACKED
            .of()
            .with(
                "float[4, 4, 5] up,",
                "float[4, 4, 10] up, float[4, 1, 10] upBias, float[4, 1, 4] downBias,"
                    + " int64[1] ten = {10},")
            .with(
                "  act = Tanh (in)\n  raw = MatMul (act, down)\n",
                """
                  both = Add (in, upBias)
                  g = Slice (both, zero, ten, last, two)
                  u = Slice (both, one, ten, last, two)
                  lid = Sigmoid (g)
                  act = Mul (lid, u)
                  near = MatMul (act, down)
                  raw = Add (near, downBias)
                """);
      }
    },
    /** Stored in another order, and given another shape between the projections. */
    STACKED_TURNED {
      @Override
      TinyMoe of() {
        return STACKED
            .of()
            .with(
                "float[4, 4, 5] up, float[4, 5, 4] down",
                "float[4, 5, 4] up, float[4, 4, 5] down, int64[3] wide = {4, -1, 5}")
            .with(
                "  in = MatMul (tokens, up)\n  act = Tanh (in)\n  raw = MatMul (act, down)\n",
                """
                  upTurned = Transpose <perm = [0, 2, 1]> (up)
                  product = MatMul (tokens, upTurned)
                  in = Reshape (product, wide)
                  act = Tanh (in)
                  downTurned = Transpose <perm = [0, 2, 1]> (down)
                  raw = MatMul (act, downTurned)
                """);
      }
    },
    /** The last projection is inside of the sum over the experts. */
    EINSUM {
      @Override
      TinyMoe of() {
        TinyMoe tiny = STACKED.of();
        String text =
            tiny.text()
                .replaceAll(
                    "(?s)  copies = Tile.*  routed = ReduceSum[^\n]*\n",
                    """
                      in = Einsum <equation = "th,ehi->tei"> (x, up)
                      act = Tanh (in)
                      routed = Einsum <equation = "tei,eih,te->th"> (act, down, matrix)
                    """);
        return with(tiny, text);
      }
    },
    /** Rows sorted by expert and joined before the activation. */
    GROUPED {
      @Override
      TinyMoe of() {
        return Spelling.GROUPED.of(4, 2, 4);
      }
    },
    /** The same with a bias that is gathered for each row. */
    GROUPED_BIASED {
      @Override
      TinyMoe of() {
        return GROUPED
            .of()
            .with("float[4, 4, 5] up,", "float[4, 4, 5] up, float[4, 5] upBias,")
            .with(
                "  act = Tanh (in)\n",
                """
                  upBiases = Gather <axis = 0> (upBias, sorted)
                  biased = Add (in, upBiases)
                  act = Tanh (biased)
                """);
      }
    },
    /** Inside of an operator. */
    FUSED {
      @Override
      TinyMoe of() {
        return Spelling.FUSED.of(4, 2, 4);
      }
    },
    /** The same with gates and ups by turns, and biases. */
    FUSED_PAIRS {
      @Override
      TinyMoe of() {
        return FUSED
            .of()
            .with(
                "float[4, 5, 4] up,",
                "float[4, 10, 4] up, float[4, 10] upBias, float[4, 4] downBias,")
            .with("\"relu\"", "\"swiglu\", swiglu_fusion = 1")
            .with("up, , down)", "up, upBias, down, downBias)");
      }
    },
    /** The same where gates and ups are stored one behind the other. */
    FUSED_MIXED {
      @Override
      TinyMoe of() {
        return FUSED_PAIRS
            .of()
            .with(
                "float[4, 10, 4] up,",
                "float[4, 10, 4] stored, int64[4] apart = {4, 2, 5, 4}, int64[3] mixed = {4, 10, 4},")
            .with(
                "  routed =",
                """
                  parts = Reshape (stored, apart)
                  turns = Transpose <perm = [0, 2, 1, 3]> (parts)
                  up = Reshape (turns, mixed)
                  routed =\
                """);
      }
    };

    abstract TinyMoe of();

    /** A block of four experts, of which a token chooses two. */
    public TinyMoe tiny() {
      return of();
    }
  }

  private static TinyMoe with(TinyMoe tiny, String text) {
    return new TinyMoe(tiny.spelling(), tiny.experts(), tiny.topK(), tiny.hidden(), text);
  }

  /** Three neurons of each of four experts. */
  public static Map<Integer, int[]> alike() {
    return Map.of(
        0,
        new int[] {0, 2, 3},
        1,
        new int[] {1, 2, 4},
        2,
        new int[] {0, 1, 3},
        3,
        new int[] {2, 3, 4});
  }

  /** The neurons of three of four experts, one of them whole, with new down projections. */
  public static Map<Integer, int[]> kept() {
    return Map.of(0, new int[] {0, 2, 3}, 1, new int[] {4}, 3, new int[] {0, 1, 2, 3, 4});
  }

  /** The neurons of two of four experts; another is whole, and one may be removed. */
  public static Map<Integer, int[]> unlike() {
    return Map.of(0, new int[] {0, 2, 3}, 1, new int[] {4});
  }

  /** Stacks of which experts can have widths of their own. */
  public static List<Stack> divisible() {
    return Stream.of(Stack.values())
        .filter(stack -> stack != Stack.GROUPED && stack != Stack.GROUPED_BIASED)
        .toList();
  }

  /** Experts that keep these neurons, their down projections drawn at random. */
  public static Replacement narrowing(MoeBlock block, Map<Integer, int[]> kept) {
    Random random = new Random(7);
    TreeMap<Integer, NarrowExpert> narrow = new TreeMap<>();
    new TreeMap<>(kept)
        .forEach(
            (expert, neurons) -> {
              float[] down = new float[block.hidden() * neurons.length];
              for (int i = 0; i < down.length; i++) {
                down[i] = (float) random.nextGaussian();
              }
              narrow.put(expert, new NarrowExpert(neurons, down));
            });
    return Replacement.byNarrow(narrow);
  }

  /** What a proof says of a block of which this was asked, and that was made this. */
  public static Verdict verdict(TinyMoe tiny, Replacement asked, Model narrowed, Path folder) {
    Path file = folder.resolve("narrowed.onnx");
    OnnxWriter.write(narrowed, file, Placement.INLINE);
    return new Proof(
            Canonical.of(tiny.model()).model(),
            folder,
            List.of(tiny.block()),
            Map.of(tiny.block().name(), asked),
            RunOptions.cpu())
        .of(file, List.of(Map.of("x", tiny.tokens(30, 1)), Map.of("x", tiny.tokens(1, 2))));
  }

  /**
   * The model with its experts narrowed, each to a width of its own where they are computed apart,
   * as a file of which its oracle holds.
   */
  public static Model proved(TinyMoe tiny, Path folder) {
    MoeBlock block = tiny.block();
    Canonical model = Canonical.of(tiny.model());
    boolean isShared = NeuronCut.of(model.graph(), block).isShared();
    Replacement narrowing = narrowing(block, isShared ? alike() : kept());
    Model narrowed = Rewriter.rewrite(model, List.of(block), Map.of(block.name(), narrowing));
    Verdict verdict = verdict(tiny, narrowing, narrowed, folder);
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    return narrowed;
  }

  /** Experts that keep all their neurons. */
  public static Map<Integer, int[]> whole(MoeBlock block) {
    Map<Integer, int[]> all = new TreeMap<>();
    IntStream.range(0, block.experts())
        .forEach(expert -> all.put(expert, IntStream.range(0, block.inner()).toArray()));
    return all;
  }
}
