package io.moneonnx;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A model of one Mixture-of-Experts block and nothing else, {@code y = x + routed (x)}, in the
 * spelling of an exporter. Every expert {@code e} computes {@code tanh (x up_e) down_e}.
 *
 * <p>All spellings call the router's {@code router}, {@code logits}, {@code scores}, {@code best},
 * {@code experts} (the chosen ids) and {@code gates} alike, and the result of the block {@code
 * routed}. Loops call their expert {@code e}'s own values {@code rawE}, {@code tokenE}, ...
 *
 * @param experts in the block
 * @param topK experts that a token chooses
 * @param hidden width of a token
 */
public record TinyMoe(Spelling spelling, int experts, int topK, int hidden, String text) {

  /** How exporters write the block down. */
  public enum Spelling {
    /** A loop unrolled by tracing; rows spread by {@code ScatterElements} and added. */
    TORCHSCRIPT(17) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$H, $E] router, int64[1] k = {$k},
             int64 depth = {$E}, int64[2] offOn = {0, 1}, int64 slotsOfToken = {$k}, $numbers,
             $ids,
             $weights>
            """
                .replace("$weights", each(experts, "float[$H, $I] up$e, float[$I, $H] down$e"))
            + "{\n  logits = MatMul (x, router)\n"
            + ROUTER
            + """
              hot = OneHot <axis = -1> (experts, depth, offOn)
              mask = Transpose <perm = [2, 1, 0]> (hot)
              list = Reshape (gates, last)
            """
            + ZEROS
            + repeat(
                experts,
                """
                  row$e = Gather <axis = 0> (mask, id$e)
                  bits$e = Cast <to = 9> (row$e)
                  hits$e = NonZero (bits$e)
                  pairs$e = Transpose <perm = [1, 0]> (hits$e)
                  slots$e, tokens$e = Split <axis = 1> (pairs$e, halves)
                  slot$e = Squeeze (slots$e, one)
                  token$e = Squeeze (tokens$e, one)
                  rows$e = Gather <axis = 0> (x, token$e)
                  in$e = MatMul (rows$e, up$e)
                  act$e = Tanh (in$e)
                  raw$e = MatMul (act$e, down$e)
                  base$e = Mul (token$e, slotsOfToken)
                  place$e = Add (base$e, slot$e)
                  gate$e = Gather <axis = 0> (list, place$e)
                  column$e = Unsqueeze (gate$e, one)
                  scaled$e = Mul (raw$e, column$e)
                  at$e = Unsqueeze (token$e, one)
                  size$e = Shape (scaled$e)
                  wide$e = Expand (at$e, size$e)
                  spread$e = ScatterElements <axis = 0> (zeros, wide$e, scaled$e)
                  routed$next = Add (routed$e, spread$e)
                """)
            + "  y = Add (x, routed)\n}\n";
      }
    },

    /** The same loop as {@code torch.export} writes it: rows added in place by ScatterND. */
    DYNAMO(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k},
             int64[$E] classes = {$classes}, $numbers,
             $ids,
             $weights>
            """
                .replace("$weights", each(experts, "float[$I, $H] up$e, float[$H, $I] down$e"))
            + "{\n  logits = Gemm <transB = 1> (x, router)\n"
            + ROUTER
            + """
              choice = Unsqueeze (experts, last)
              same = Equal (choice, classes)
              hot = Cast <to = 7> (same)
              mask = Transpose <perm = [2, 1, 0]> (hot)
              perSlot = Unsqueeze (gates, two)
            """
            + ZEROS
            + repeat(
                experts,
                """
                  row$e = Gather <axis = 0> (mask, id$e)
                  hits$e = NonZero (row$e)
                  pairs$e = Transpose <perm = [1, 0]> (hits$e)
                  slots$e = Slice (pairs$e, zero, one, one)
                  slot$e = Squeeze (slots$e, one)
                  tokens$e = Slice (pairs$e, one, two, one)
                  token$e = Squeeze (tokens$e, one)
                  at$e = Unsqueeze (token$e, last)
                  rows$e = GatherND <batch_dims = 0> (x, at$e)
                  in$e = Gemm <transB = 1> (rows$e, up$e)
                  act$e = Tanh (in$e)
                  raw$e = Gemm <transB = 1> (act$e, down$e)
                  slotAt$e = Unsqueeze (slot$e, last)
                  place$e = Concat <axis = -1> (at$e, slotAt$e)
                  gate$e = GatherND <batch_dims = 0> (perSlot, place$e)
                  scaled$e = Mul (raw$e, gate$e)
                  routed$next = ScatterND <reduction = "add"> (routed$e, at$e, scaled$e)
                """)
            + "  y = Add (x, routed)\n}\n";
      }
    },

    /** A loop that looks for each expert's id in the choices, without a mask for all. */
    LOOKUP(18) {
      @Override
      String text(int experts) {
        return DYNAMO
            .text(experts)
            .replace("  choice = Unsqueeze (experts, last)\n", "")
            .replace("  same = Equal (choice, classes)\n", "")
            .replace("  hot = Cast <to = 7> (same)\n", "")
            .replace("  mask = Transpose <perm = [2, 1, 0]> (hot)\n", "")
            .replace(" int64[$E] classes = {$classes},", "")
            .replaceAll(
                "row(\\d+) = Gather <axis = 0> \\(mask, id\\d+\\)", "row$1 = Equal (experts, id$1)")
            .replaceAll(
                "slots(\\d+) = Slice \\((\\w+), zero, one, one\\)",
                "swap$1 = Slice ($2, zero, one, one)")
            .replaceAll(
                "tokens(\\d+) = Slice \\((\\w+), one, two, one\\)",
                "slots$1 = Slice ($2, one, two, one)")
            .replaceAll("swap(\\d+)", "tokens$1")
            .replaceAll(
                "slot(\\d+) = Squeeze \\(slots\\d+, one\\)", "hold$1 = Squeeze (tokens$1, one)")
            .replaceAll(
                "token(\\d+) = Squeeze \\(tokens\\d+, one\\)", "slot$1 = Squeeze (slots$1, one)")
            .replaceAll("hold(\\d+)", "token$1");
      }
    },

    /** A loop whose experts put their rows into a buffer of slots, element by element. */
    BUFFER(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, $numbers,
             int64[3] perSlot = {1, $k, 1}, int64[2] rows = {-1, $H}, int64[3] bySlot = {-1, $k, $H},
             $ids,
             $weights>
            """
                .replace("$weights", each(experts, "float[$I, $H] up$e, float[$H, $I] down$e"))
            + "{\n  logits = Gemm <transB = 1> (x, router)\n"
            + ROUTER
            + """
              ids = Reshape (experts, last)
              apart = Unsqueeze (x, one)
              copies = Expand (apart, perSlot)
              tokens = Reshape (copies, rows)
              shape = Shape (tokens)
              buffer0 = ConstantOfShape <value = float[1] {0}> (shape)
            """
            + repeat(
                experts,
                """
                  mask$e = Equal (ids, id$e)
                  hits$e = NonZero (mask$e)
                  at$e = Transpose <perm = [1, 0]> (hits$e)
                  slot$e = Squeeze (at$e, one)
                  rows$e = Gather <axis = 0> (tokens, slot$e)
                  in$e = Gemm <transB = 1> (rows$e, up$e)
                  act$e = Tanh (in$e)
                  raw$e = Gemm <transB = 1> (act$e, down$e)
                  column$e = Unsqueeze (mask$e, last)
                  size$e = Shape (buffer$e)
                  wide$e = Expand (column$e, size$e)
                  cells$e = NonZero (wide$e)
                  places$e = Transpose <perm = [1, 0]> (cells$e)
                  elements$e = Reshape (raw$e, last)
                  buffer$next = ScatterND (buffer$e, places$e, elements$e)
                """)
            + """
              slots = Reshape (buffer, bySlot)
              column = Unsqueeze (gates, last)
              scaled = Mul (slots, column)
              routed = ReduceSum <keepdims = 0> (scaled, one)
              y = Add (x, routed)
            }
            """;
      }
    },

    /**
     * Every expert computes every token; routing weights are columns of a matrix with zeros in it.
     */
    COLUMNS(18) {
      @Override
      String text(int experts) {
        return dense(
            experts,
            each(experts, "int64[1] from$e = {$e}"),
            MATRIX,
            "  gate$e = Slice (matrix, from$e, to$e, one, one)\n");
      }
    },

    /** Every expert computes every token; routing weights are summed over the choices of its id. */
    SUMS(18) {
      @Override
      String text(int experts) {
        return dense(
            experts,
            "int64 unused = {0}",
            "",
            """
              same$e = Equal (experts, id$e)
              isChosen$e = Cast <to = 1> (same$e)
              kept$e = Mul (gates, isChosen$e)
              gate$e = ReduceSum <keepdims = 1> (kept$e, last)
            """);
      }
    },

    /** The loop of {@code LOOKUP}, in which an expert that no token chose is left out. */
    GUARDED(18) {
      @Override
      String text(int experts) {
        return HEAD.replace("$weights", each(experts, "float[$I, $H] up$e, float[$H, $I] down$e"))
            + "  perSlot = Unsqueeze (gates, two)\n"
            + ZEROS
            + repeat(
                experts,
                """
                  same$e = Equal (experts, id$e)
                  hits$e = NonZero (same$e)
                  pairs$e = Transpose <perm = [1, 0]> (hits$e)
                  tokens$e, slots$e = Split <axis = 1> (pairs$e, halves)
                  token$e = Squeeze (tokens$e, one)
                  slot$e = Squeeze (slots$e, one)
                  size$e = Shape (token$e)
                  count$e = ReduceProd <keepdims = 0> (size$e)
                  any$e = Greater (count$e, origin)
                  routed$next = If <then_branch = work () => (float[...] sum$e) {
                      at$e = Unsqueeze (token$e, last)
                      rows$e = GatherND <batch_dims = 0> (x, at$e)
                      in$e = Gemm <transB = 1> (rows$e, up$e)
                      act$e = Tanh (in$e)
                      raw$e = Gemm <transB = 1> (act$e, down$e)
                      slotAt$e = Unsqueeze (slot$e, last)
                      place$e = Concat <axis = -1> (at$e, slotAt$e)
                      gate$e = GatherND <batch_dims = 0> (perSlot, place$e)
                      scaled$e = Mul (raw$e, gate$e)
                      sum$e = ScatterND <reduction = "add"> (routed$e, at$e, scaled$e)
                    }, else_branch = idle () => (float[...] same_$e) {
                      same_$e = Identity (routed$e)
                    }> (any$e)
                """)
            + "  y = Add (x, routed)\n}\n";
      }
    },

    /** The loop of {@code SUMS}, in which an expert that no token chose is left out. */
    BRANCHED(18) {
      @Override
      String text(int experts) {
        return HEAD.replace("$weights", each(experts, "float[$I, $H] up$e, float[$H, $I] down$e"))
            + ZEROS
            + repeat(
                experts,
                """
                  same$e = Equal (experts, id$e)
                  isChosen$e = Cast <to = 1> (same$e)
                  kept$e = Mul (gates, isChosen$e)
                  gate$e = ReduceSum <keepdims = 1> (kept$e, last)
                  bits$e = Cast <to = 7> (same$e)
                  hit$e = ReduceMax <keepdims = 0> (bits$e)
                  any$e = Cast <to = 9> (hit$e)
                  routed$next = If <then_branch = work () => (float[...] sum$e) {
                      in$e = Gemm <transB = 1> (x, up$e)
                      act$e = Tanh (in$e)
                      raw$e = Gemm <transB = 1> (act$e, down$e)
                      scaled$e = Mul (raw$e, gate$e)
                      sum$e = Add (routed$e, scaled$e)
                    }, else_branch = idle () => (float[...] same_$e) {
                      same_$e = Identity (routed$e)
                    }> (any$e)
                """)
            + "  y = Add (x, routed)\n}\n";
      }
    },

    /** A loop that was not unrolled: each round gathers the weights of its expert. */
    ROUNDS(18) {
      @Override
      String text(int experts) {
        return HEAD.replace("$weights", "float[$E, $H, $I] up, float[$E, $I, $H] down")
            + "  perSlot = Unsqueeze (gates, two)\n"
            + ZEROS
            + """
              routed = Loop <body = round (int64 id, bool more, float[...] before)
                                 => (bool on, float[...] after) {
                  on = Identity (more)
                  same = Equal (experts, id)
                  hits = NonZero (same)
                  pairs = Transpose <perm = [1, 0]> (hits)
                  token = Gather <axis = 1> (pairs, origin)
                  slot = Gather <axis = 1> (pairs, single)
                  at = Unsqueeze (token, last)
                  rows = Gather <axis = 0> (x, token)
                  ups = Gather <axis = 0> (up, id)
                  in = MatMul (rows, ups)
                  act = Tanh (in)
                  downs = Gather <axis = 0> (down, id)
                  raw = MatMul (act, downs)
                  slotAt = Unsqueeze (slot, last)
                  place = Concat <axis = -1> (at, slotAt)
                  gate = GatherND <batch_dims = 0> (perSlot, place)
                  scaled = Mul (raw, gate)
                  after = ScatterND <reduction = "add"> (before, at, scaled)
                }> (rounds, , routed0)
              y = Add (x, routed)
            }
            """;
      }
    },

    /** Stacked weights, of which every slot gathers the ones of its expert. */
    GATHERED(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, $numbers,
             int64[3] perSlot = {1, $k, 1}, int64[2] rows = {-1, $H}, int64[3] bySlot = {-1, $k, $H},
             float[$E, $I, $H] up, float[$E, $H, $I] down>
            {
              logits = Gemm <transB = 1> (x, router)
            """
            + ROUTER
            + SLOTS
            + "  y = Add (x, routed)\n}\n";
      }
    },

    /** Weights that are gathered for each choice of each token; slots have two axes. */
    GATHERED_FOR_TOKENS(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, $numbers,
             float[$E, $I, $H] up, float[$E, $H, $I] down>
            {
              logits = Gemm <transB = 1> (x, router)
            """
            + ROUTER
            + """
              apart = Unsqueeze (x, one)
              columns = Unsqueeze (apart, last)
              ups = Gather <axis = 0> (up, experts)
              in = MatMul (ups, columns)
              act = Tanh (in)
              downs = Gather <axis = 0> (down, experts)
              out = MatMul (downs, act)
              raw = Squeeze (out, last)
              gate = Unsqueeze (gates, last)
              scaled = Mul (raw, gate)
              routed = ReduceSum <keepdims = 0> (scaled, one)
              y = Add (x, routed)
            }
            """;
      }
    },

    /**
     * One operator that chooses the experts and computes them within, with {@code Relu} for {@code
     * tanh}. What it chooses by is called {@code experts}; all that it hides is in {@link #shown}.
     */
    FUSED(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, $numbers,
             int64[3] perSlot = {1, $k, 1}, int64[2] rows = {-1, $H}, int64[3] bySlot = {-1, $k, $H},
             int64[2] all = {-1, $E}, float[$E, $I, $H] up, float[$E, $H, $I] down>
            {
              logits = Gemm <transB = 1> (x, router)
              experts = Reshape (logits, all)
              routed = com.microsoft.MoE <k = $k, activation_type = "relu", normalize_routing_weights = 1> (x, experts, up, , down)
              y = Add (x, routed)
            }
            """;
      }
    },

    /** Rows sorted by expert, each of which computes its segment: {@code moe_infer} of DeepSeek. */
    SORTED(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, int64 slotsOfToken = {$k}, $numbers,
             int64[3] bySlot = {-1, $k, $H}, int64[1] width = {$E}, int64 unit = {1},
             int64[1] bound0 = {0},
             $ids,
             $weights>
            """
                .replace("$weights", each(experts, "float[$H, $I] up$e, float[$I, $H] down$e"))
            + "{\n  logits = Gemm <transB = 1> (x, router)\n"
            + ROUTER
            + """
              shape = Shape (experts)
              tokens = Gather <axis = 0> (shape, zero)
              wide = Concat <axis = 0> (tokens, width)
              nothing = ConstantOfShape <value = int64[1] {0}> (wide)
              ones = Expand (unit, shape)
              hot = ScatterElements <axis = 1> (nothing, experts, ones)
              counts = ReduceSum <keepdims = 0> (hot, zero)
            """
            + SORT
            + repeat(
                experts,
                """
                  end$e = Gather <axis = 0> (ends, id$e)
                  bound$next = Unsqueeze (end$e, zero)
                  segment$e = Slice (rows, bound$e, bound$next, zero, one)
                  in$e = MatMul (segment$e, up$e)
                  act$e = Tanh (in$e)
                  piece$e = MatMul (act$e, down$e)
                """)
            + "  raw = Concat <axis = 0> ("
            + each(experts, "piece$e")
            + """
            )
              gate = Unsqueeze (gates, last)
              placed = Gather <axis = 0> (raw, place)
              slots = Reshape (placed, bySlot)
              scaled = Mul (slots, gate)
              routed = ReduceSum <keepdims = 0> (scaled, one)
              y = Add (x, routed)
            }
            """;
      }
    },

    /** The same with stacked weights, cut into segments before and after the activation. */
    GROUPED(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, int64 slotsOfToken = {$k}, $numbers,
             int64[3] bySlot = {-1, $k, $H}, int64 unit = {1}, int64[1] bound0 = {0},
             int64 most = {$most}, int64[$E] nothing = {$zeros}, $ids, $starts, $ends,
             float[$E, $H, $I] up, float[$E, $I, $H] down>
            """
                .replace("$most", Integer.toString(experts - 1))
                .replace("$zeros", each(experts, "0"))
                .replace("$starts", each(experts, "int64[1] from$e = {$e}"))
                .replace("$ends", ends(experts))
            + "{\n  logits = Gemm <transB = 1> (x, router)\n"
            + ROUTER
            + """
              flat = Reshape (experts, last)
              slotCount = Shape (flat)
              ones = ConstantOfShape <value = int64[1] {1}> (slotCount)
              clamped = Clip (flat, id0, most)
              counts = ScatterElements <axis = 0, reduction = "add"> (nothing, clamped, ones)
            """
            + SORT
            + repeat(
                experts,
                """
                  bound$next = Slice (ends, from$e, to$e, zero)
                  segment$e = Slice (rows, bound$e, bound$next, zero)
                  upRow$e = Slice (up, from$e, to$e, zero)
                  upOf$e = Squeeze (upRow$e, zero)
                  in$e = MatMul (segment$e, upOf$e)
                """)
            + "  in = Concat <axis = 0> ("
            + each(experts, "in$e")
            + ")\n  act = Tanh (in)\n"
            + repeat(
                experts,
                """
                  half$e = Slice (act, bound$e, bound$next, zero)
                  downOf$e = Gather <axis = 0> (down, id$e)
                  piece$e = MatMul (half$e, downOf$e)
                """)
            + "  raw = Concat <axis = 0> ("
            + each(experts, "piece$e")
            + """
            )
              list = Reshape (gates, last)
              sortedGates = Gather <axis = 0> (list, order)
              gate = Unsqueeze (sortedGates, last)
              scaled = Mul (raw, gate)
              placed = Gather <axis = 0> (scaled, place)
              slots = Reshape (placed, bySlot)
              routed = ReduceSum <keepdims = 0> (slots, one)
              y = Add (x, routed)
            }
            """;
      }
    },

    /** Stacked weights with which every expert computes every token. */
    STACKED(18) {
      @Override
      String text(int experts) {
        return SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, $numbers,
             int64[2] repeats = {$E, 1}, int64[3] apart = {$E, -1, $H}, int64[2] order = {$E, -1},
             float[$E, $H, $I] up, float[$E, $I, $H] down>
            {
              logits = Gemm <transB = 1> (x, router)
            """
            + ROUTER
            + MATRIX
            + """
              copies = Tile (x, repeats)
              tokens = Reshape (copies, apart)
              in = MatMul (tokens, up)
              act = Tanh (in)
              raw = MatMul (act, down)
              turned = Transpose <perm = [1, 0]> (matrix)
              byExpert = Reshape (turned, order)
              gate = Unsqueeze (byExpert, two)
              scaled = Mul (raw, gate)
              routed = ReduceSum <keepdims = 0> (scaled, zero)
              y = Add (x, routed)
            }
            """;
      }
    },

    /** Every expert computes every token; each token picks the rows of the ones it chose. */
    PICKED(18) {
      @Override
      String text(int experts) {
        String header = "<float[$E, $H] router, int64[1] k = {$k}, int64[3] wide = {1, 1, $H},";
        return SIGNATURE
            + header
            + """
             $numbers, $weights>
            """
                .replace("$weights", each(experts, "float[$I, $H] up$e, float[$H, $I] down$e"))
            + "{\n  logits = Gemm <transB = 1> (x, router)\n"
            + ROUTER
            + repeat(
                experts,
                """
                  in$e = Gemm <transB = 1> (x, up$e)
                  act$e = Tanh (in$e)
                  raw$e = Gemm <transB = 1> (act$e, down$e)
                  row$e = Unsqueeze (raw$e, one)
                """)
            + """
              all = Concat <axis = 1> ($rows)
              column = Unsqueeze (experts, last)
              places = Expand (column, wide)
              picked = GatherElements <axis = 1> (all, places)
              gate = Unsqueeze (gates, last)
              scaled = Mul (picked, gate)
              routed = ReduceSum <keepdims = 0> (scaled, one)
              y = Add (x, routed)
            }
            """
                .replace("$rows", each(experts, "row$e"));
      }
    };

    private static String dense(int experts, String constants, String before, String gate) {
      return SIGNATURE
          + """
          <float[$E, $H] router, int64[1] k = {$k}, $numbers, $constants, $ends,
           $ids,
           $weights>
          """
              .replace("$constants", constants)
              .replace("$ends", ends(experts))
              .replace("$weights", each(experts, "float[$I, $H] up$e, float[$H, $I] down$e"))
          + "{\n  logits = Gemm <transB = 1> (x, router)\n"
          + ROUTER
          + before
          + repeat(
              experts,
              gate
                  + """
                    in$e = Gemm <transB = 1> (x, up$e)
                    act$e = Tanh (in$e)
                    raw$e = Gemm <transB = 1> (act$e, down$e)
                    scaled$e = Mul (raw$e, gate$e)
                  """)
          + repeat(experts, "  routed$next = Add (routed$e, scaled$e)\n")
              .replace("  routed1 = Add (routed0, scaled0)\n", "")
              .replace("(routed1, ", "(scaled0, ")
          + "  y = Add (x, routed)\n}\n";
    }

    /** Where the columns of the experts end. */
    private static String ends(int experts) {
      return IntStream.range(0, experts)
          .mapToObj(e -> "int64[1] to" + e + " = {" + (e + 1) + "}")
          .collect(Collectors.joining(", "));
    }

    private static final String SIGNATURE = "tiny (float[T, $H] x) => (float[T, $H] y)\n";

    private static final String ROUTER =
        """
          scores = Softmax <axis = -1> (logits)
          best, experts = TopK <axis = -1, largest = 1> (scores, k)
          total = ReduceSum <keepdims = 1> (best, last)
          gates = Div (best, total)
        """;

    private static final String HEAD =
        SIGNATURE
            + """
            <float[$E, $H] router, int64[1] k = {$k}, $numbers,
             int64 origin = {0}, int64 single = {1}, int64 rounds = {$E},
             $ids,
             $weights>
            {
              logits = Gemm <transB = 1> (x, router)
            """
            + ROUTER;

    private static final String MATRIX =
        """
          shape = Shape (logits)
          zeros = ConstantOfShape <value = float[1] {0}> (shape)
          matrix = ScatterElements <axis = 1> (zeros, experts, gates)
        """;

    /**
     * The experts of all choices at once, from {@code experts} and {@code gates} to {@code routed}.
     */
    private static final String SLOTS =
        """
          ids = Reshape (experts, last)
          list = Reshape (gates, last)
          apart = Unsqueeze (x, one)
          copies = Expand (apart, perSlot)
          tokens = Reshape (copies, rows)
          columns = Unsqueeze (tokens, last)
          ups = Gather <axis = 0> (up, ids)
          in = MatMul (ups, columns)
          act = Tanh (in)
          downs = Gather <axis = 0> (down, ids)
          out = MatMul (downs, act)
          raw = Squeeze (out, last)
          gate = Unsqueeze (list, last)
          scaled = Mul (raw, gate)
          slots = Reshape (scaled, bySlot)
          routed = ReduceSum <keepdims = 0> (slots, one)
        """;

    private static final String ZEROS =
        """
          shape = Shape (x)
          zeros = ConstantOfShape <value = float[1] {0}> (shape)
          routed0 = Identity (zeros)
        """;

    private static final String SORT =
        """
          ends = CumSum (counts, id0)
          ids = Reshape (experts, last)
          size = Shape (ids)
          sorted, order = TopK <axis = -1, largest = 0> (ids, size)
          token = Div (order, slotsOfToken)
          rows = Gather <axis = 0> (x, token)
          limit = Squeeze (size)
          numbers = Range (id0, limit, unit)
          blank = ConstantOfShape <value = int64[1] {0}> (size)
          place = ScatterElements <axis = 0> (blank, order, numbers)
        """;

    private final long opset;

    Spelling(long opset) {
      this.opset = opset;
    }

    abstract String text(int experts);

    /** True where {@code raw} holds a row for each slot. */
    public boolean isPerSlot() {
      return this == GATHERED || this == GATHERED_FOR_TOKENS || this == FUSED;
    }

    private Map<String, Long> opsets(long version) {
      return this == FUSED ? Map.of("", version, "com.microsoft", 1L) : Map.of("", version);
    }

    /** The first version of the operator set that has all that this spelling uses. */
    public int oldestOpset() {
      return text(1).contains("reduction") ? 16 : 13;
    }

    /** True where every expert computes every token. */
    public boolean isDense() {
      return this == COLUMNS || this == SUMS || this == BRANCHED || this == PICKED;
    }

    /** True where all experts' weights are in one tensor, and what they compute in one text. */
    public boolean isStacked() {
      return isPerSlot() || this == ROUNDS || this == GROUPED || this == STACKED;
    }

    /** True where the outputs of all slots lie in the order of their experts. */
    public boolean isSorted() {
      return this == SORTED || this == GROUPED;
    }

    /** True where routing weights are read from a {@code matrix [tokens, experts]}. */
    public boolean hasMatrix() {
      return this == COLUMNS || this == STACKED;
    }

    public TinyMoe of(int experts, int topK, int hidden) {
      String text =
          text(experts)
              .replace("$ids", each(experts, "int64 id$e = {$e}"))
              .replace("$classes", each(experts, "$e"))
              .replace(
                  "$numbers",
                  "int64[1] last = {-1}, int64[1] zero = {0}, int64[1] one = {1},"
                      + " int64[1] two = {2}, int64[2] halves = {1, 1}")
              .replace("$E", Integer.toString(experts))
              .replace("$k", Integer.toString(topK))
              .replace("$H", Integer.toString(hidden))
              .replace("$I", Integer.toString(hidden + 1));
      return new TinyMoe(this, experts, topK, hidden, text);
    }

    private static String each(int experts, String part) {
      return IntStream.range(0, experts)
          .mapToObj(e -> part.replace("$e", Integer.toString(e)))
          .collect(Collectors.joining(", "));
    }

    private static String repeat(int experts, String part) {
      return IntStream.range(0, experts)
          .mapToObj(
              e ->
                  part.replace("$next", e == experts - 1 ? "" : Integer.toString(e + 1))
                      .replace("$e", Integer.toString(e)))
          .collect(Collectors.joining());
    }
  }

  /** The model with one part of its text written otherwise. */
  public TinyMoe with(String part, String otherwise) {
    if (!text.contains(part)) {
      throw new IllegalArgumentException("no '" + part + "' in\n" + text);
    }
    return new TinyMoe(spelling, experts, topK, hidden, text.replace(part, otherwise));
  }

  /** The same model, whose router chooses as many pairs of experts first as it chooses experts. */
  public TinyMoe inPairs() {
    String choice = "best, experts = TopK <axis = -1, largest = 1> (scores, k)";
    return with(
            "y)\n<",
            """
            y)
            <int64[3] pairSizes = {-1, $PAIRS, 2}, int64[2] pairAll = {-1, $E}, int64[3] pairEach = {1, 1, 2},
             int64[1] pairBest = {1}, int64[1] pairLast = {-1}, float pairOut = {0}, float pairIn = {1},\
            """
                .replace("$PAIRS", Integer.toString(experts / 2))
                .replace("$E", Integer.toString(experts)))
        .with(
            choice,
            """
            pairScores = Reshape (scores, pairSizes)
              pairTop, pairTopIds = TopK <axis = -1> (pairScores, pairBest)
              pairRanks = ReduceSum <keepdims = 0> (pairTop, pairLast)
              pairRank, pairIds = TopK <axis = -1> (pairRanks, k)
              pairRanksShape = Shape (pairRanks)
              pairNone = Expand (pairOut, pairRanksShape)
              pairShape = Shape (pairIds)
              pairMark = Expand (pairIn, pairShape)
              pairMarks = ScatterElements <axis = 1> (pairNone, pairIds, pairMark)
              pairColumn = Unsqueeze (pairMarks, pairLast)
              pairSpread = Expand (pairColumn, pairEach)
              pairFlat = Reshape (pairSpread, pairAll)
              isInPair = Cast <to = 9> (pairFlat)
              isOutOfPairs = Not (isInPair)
              limited = Where (isOutOfPairs, pairOut, scores)
            """
                + "  "
                + choice.replace("scores", "limited"));
  }

  /** The model with these values of a constant. */
  public TinyMoe withValues(String constant, float... values) {
    String listed =
        IntStream.range(0, values.length)
            .mapToObj(i -> Float.toString(values[i]))
            .collect(Collectors.joining(", "));
    String name = "] " + constant;
    for (String end : List.of(",", ">")) {
      if (text.contains(name + end)) {
        return with(name + end, name + " = {" + listed + "}" + end);
      }
    }
    throw new IllegalArgumentException("no constant '" + constant + "' in\n" + text);
  }

  /** The model with this row of the router for each expert. */
  public TinyMoe withRouter(float[]... rows) {
    float[] values = new float[experts * hidden];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          spelling == Spelling.TORCHSCRIPT
              ? rows[i % experts][i / experts]
              : rows[i / hidden][i % hidden];
    }
    return withValues("router", values);
  }

  /** The model with another input, an unused one. */
  public TinyMoe withInput(String declared) {
    return with("[T, " + hidden + "] x)", "[T, " + hidden + "] x, " + declared + ")");
  }

  public Graph graph() {
    return GraphText.parse(text);
  }

  public Model model() {
    return at(spelling.opset);
  }

  /** The same model in operators that show what a fused one hides. */
  public Model shown() {
    String operator = "  experts = Reshape .*\n  routed = com.microsoft.*\n";
    String apart = Spelling.ROUTER + Spelling.SLOTS.replace("Tanh", "Relu");
    return new TinyMoe(spelling, experts, topK, hidden, text.replaceFirst(operator, apart)).model();
  }

  /** The model in this version of the operator set. */
  public Model at(long opset) {
    return new Model(graph(), 8, spelling.opsets(opset), Map.of(), UnknownFields.NONE);
  }

  /** The model in another floating type: what it is given, its constants, what it makes. */
  public Model in(ElementType type) {
    return model().withGraph(in(type, graph()));
  }

  private static Graph in(ElementType type, Graph graph) {
    Map<String, Initializer> constants = new LinkedHashMap<>(graph.initializers());
    constants.replaceAll((name, constant) -> Initializer.of(name, cast(constant.tensor(), type)));
    return new Graph(
        graph.name(),
        graph.nodes().stream().map(node -> in(type, node)).toList(),
        constants,
        graph.inputs().stream().map(value -> in(type, value)).toList(),
        graph.outputs().stream().map(value -> in(type, value)).toList(),
        Map.of(),
        graph.rest());
  }

  private static Value in(ElementType type, Value value) {
    return value.type().filter(ElementType.FLOAT::equals).isEmpty()
        ? value
        : new Value(value.name(), Optional.of(type), value.shape(), value.rest());
  }

  private static Node in(ElementType type, Node given) {
    Node node = given.withSubgraphs(body -> in(type, body));
    if (node.is("Cast") && node.intAttribute("to", 0) == ElementType.FLOAT.code()) {
      return node.withAttribute("to", Attribute.of(type.code()));
    }
    return node.attributes().get("value") instanceof Attribute.OfTensor value
        ? node.withAttribute("value", Attribute.of(cast(value.value(), type)))
        : node;
  }

  private static Tensor cast(Tensor tensor, ElementType type) {
    return tensor.type() == ElementType.FLOAT
        ? Tensor.of(type, tensor.dims(), tensor.toFloats())
        : tensor;
  }

  /**
   * The block twice, one behind the other, with the same weights; what the second one makes is
   * called {@code second/...}.
   */
  public Model twice() {
    Graph once = graph();
    Set<String> made = once.names();
    made.removeAll(once.initializers().keySet());
    made.remove("");
    UnaryOperator<String> second =
        value -> value.equals("x") ? "y" : made.contains(value) ? "second/" + value : value;
    List<Node> nodes = new ArrayList<>(once.nodes());
    nodes.addAll(renamed(once.nodes(), second));
    Value y = once.outputs().get(0);
    Value last = new Value(second.apply(y.name()), y.type(), y.shape(), UnknownFields.NONE);
    return model()
        .withGraph(
            new Graph(
                once.name(),
                nodes,
                once.initializers(),
                once.inputs(),
                List.of(last),
                Map.of(),
                UnknownFields.NONE));
  }

  private static List<Node> renamed(List<Node> nodes, UnaryOperator<String> names) {
    return nodes.stream()
        .map(
            node ->
                node.withSubgraphs(graph -> renamed(graph, names))
                    .withValues(
                        node.inputs().stream().map(names).toList(),
                        node.outputs().stream().map(names).toList()))
        .toList();
  }

  /** The graph with other names for its values. */
  public static Graph renamed(Graph body, UnaryOperator<String> names) {
    Map<String, Initializer> constants = new LinkedHashMap<>();
    body.initializers()
        .forEach(
            (name, constant) ->
                constants.put(
                    names.apply(name), Initializer.of(names.apply(name), constant.tensor())));
    return new Graph(
        body.name(),
        renamed(body.nodes(), names),
        constants,
        body.inputs().stream().map(value -> renamed(value, names)).toList(),
        body.outputs().stream().map(value -> renamed(value, names)).toList(),
        Map.of(),
        UnknownFields.NONE);
  }

  private static Value renamed(Value value, UnaryOperator<String> names) {
    return new Value(names.apply(value.name()), value.type(), value.shape(), UnknownFields.NONE);
  }

  public MoeFinder.Findings find() {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model()).graph());
  }

  /** The block as it is found in the model. */
  public MoeBlock block() {
    MoeFinder.Findings findings = find();
    if (findings.blocks().size() != 1) {
      throw new IllegalStateException("expected one block, found " + findings);
    }
    return findings.blocks().get(0);
  }

  /** Tokens {@code [tokens, hidden]} of unit variance; the same seed gives the same ones. */
  public Tensor tokens(int tokens, long seed) {
    Random random = new Random(seed);
    float[] values = new float[tokens * hidden];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(List.of((long) tokens, (long) hidden), values);
  }

  /** Runs a model once; any of its values can be asked for, also those in bodies. */
  public static Map<String, Tensor> run(
      Model model, Map<String, Tensor> feeds, Collection<String> values) {
    boolean isFlat = model.graph().made().containsAll(values);
    GraphEdit edit = new GraphEdit(isFlat ? model : Canonical.of(model).model());
    for (String value : values) {
      if (!model.graph().isOutput(value)) {
        edit.addOutput(Value.undeclared(value));
      }
    }
    Path here = Path.of("");
    try (Session session = Session.open("the tiny model", edit.apply(), here, RunOptions.cpu())) {
      return session.run(feeds, values);
    }
  }

  /** Initializers, and vectors in {@code Constant} nodes. */
  public static Map<String, Initializer> constants(Graph graph) {
    Map<String, Initializer> constants = new LinkedHashMap<>(graph.initializers());
    for (Node node : graph.nodes()) {
      if (node.is("Constant")) {
        graph
            .constant(node.output())
            .filter(tensor -> tensor.rank() == 1)
            .ifPresent(
                tensor -> constants.put(node.output(), Initializer.of(node.output(), tensor)));
      }
    }
    return constants;
  }

  /** The model with another tensor for one of its initializers or {@code Constant} nodes. */
  public static Model withInitializer(Model model, String name, Tensor tensor) {
    Graph graph = model.graph();
    if (graph.producer(name, "Constant").isPresent()) {
      return model.withGraph(
          graph.withNodes(
              graph.nodes().stream()
                  .map(
                      node ->
                          node.outputs().contains(name)
                              ? node.withAttribute("value", Attribute.of(tensor))
                              : node)
                  .toList()));
    } else if (!graph.initializers().containsKey(name)) {
      throw new IllegalArgumentException("no initializer '" + name + "' in " + graph);
    }
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.put(name, Initializer.of(name, tensor));
    return model.withGraph(
        new Graph(
            graph.name(),
            graph.nodes(),
            initializers,
            graph.inputs(),
            graph.outputs(),
            graph.declared(),
            graph.rest()));
  }
}
