package io.moneonnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Model;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
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

    private static TinyMoe with(TinyMoe tiny, String text) {
      return new TinyMoe(tiny.spelling(), tiny.experts(), tiny.topK(), tiny.hidden(), text);
    }
  }

  /** The neurons of three of four experts, one of them whole, with new down projections. */
  public static Map<Integer, int[]> kept() {
    return Map.of(0, new int[] {0, 2, 3}, 1, new int[] {4}, 3, new int[] {0, 1, 2, 3, 4});
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

  /** The model with its experts narrowed to {@link #kept}, as a file of which its oracle holds. */
  public static Model proved(TinyMoe tiny, Path folder) {
    List<MoeBlock> blocks = List.of(tiny.block());
    Map<String, Replacement> changes = Map.of(tiny.block().name(), narrowing(tiny.block(), kept()));
    Canonical model = Canonical.of(tiny.model());
    Model narrowed = Rewriter.rewrite(model, blocks, changes);
    Path file = folder.resolve("narrowed.onnx");
    OnnxWriter.write(narrowed, file, Placement.INLINE);
    Verdict verdict =
        new Proof(model.model(), folder, blocks, changes, RunOptions.cpu())
            .of(file, List.of(Map.of("x", tiny.tokens(30, 1))));
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
