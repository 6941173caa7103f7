package io.moneonnx.bench;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How exporters write a Mixture-of-Experts block of gated experts, {@code down_e (silu (gate_e x) *
 * up_e x)}, in graph text: from {@code $b.x [tokens, $H]} to {@code $b.routed [tokens, $H]}.
 *
 * <p>{@code $b} stands for the block, {@code $e} for an expert, {@code $T} for the element type and
 * {@code $t} for its code, {@code $E $k $H $I} for the sizes.
 */
enum BlockText {
  /** A loop that TorchScript unrolled, constants as nodes: OLMoE of transformers 4.45. */
  SPARSE_LOOP {
    @Override
    String weights(int experts) {
      return "$T[$H, $E] $b.router, "
          + each(
              experts, "$T[$H, $I] $b.$e.gate, $T[$H, $I] $b.$e.up, $T[$I, $H] $b.$e.down", ", ");
    }

    @Override
    String nodes(int experts) {
      return ROUTER
          + """
            $b.hot = OneHot <axis = -1> ($b.chosen, experts, offOn)
            $b.mask = Transpose <perm = [2, 1, 0]> ($b.hot)
            $b.batch = Unsqueeze ($b.x, zero)
            $b.size = Shape ($b.x)
            $b.nothing = ConstantOfShape <value = float[1] {0}> ($b.size)
            $b.0.sum = Cast <to = $t> ($b.nothing)
            """
          + each(
              experts,
              """
              $b.$e.id = Constant <value = int64 {$e}> ()
              $b.$e.row = Gather <axis = 0> ($b.mask, $b.$e.id)
              $b.$e.bits = Cast <to = 9> ($b.$e.row)
              $b.$e.hits = NonZero ($b.$e.bits)
              $b.$e.pairs = Transpose <perm = [1, 0]> ($b.$e.hits)
              $b.$e.halves = Constant <value = int64[2] {1, 1}> ()
              $b.$e.slots, $b.$e.tokens = Split <axis = 1> ($b.$e.pairs, $b.$e.halves)
              $b.$e.axis = Constant <value = int64[1] {1}> ()
              $b.$e.slot = Squeeze ($b.$e.slots, $b.$e.axis)
              $b.$e.token = Squeeze ($b.$e.tokens, $b.$e.axis)
              $b.$e.given = Gather <axis = 1> ($b.batch, $b.$e.token)
              $b.$e.wide = Constant <value = int64[2] {-1, $H}> ()
              $b.$e.rows = Reshape ($b.$e.given, $b.$e.wide)
              $b.$e.gated = MatMul ($b.$e.rows, $b.$e.gate)
              $b.$e.sigmoid = Sigmoid ($b.$e.gated)
              $b.$e.silu = Mul ($b.$e.gated, $b.$e.sigmoid)
              $b.$e.raised = MatMul ($b.$e.rows, $b.$e.up)
              $b.$e.act = Mul ($b.$e.silu, $b.$e.raised)
              $b.$e.raw = MatMul ($b.$e.act, $b.$e.down)
              $b.$e.last = Constant <value = int64[1] {2}> ()
              $b.$e.cube = Unsqueeze ($b.gates, $b.$e.last)
              $b.$e.sizes = Shape ($b.$e.cube)
              $b.$e.one = Constant <value = int64[1] {1}> ()
              $b.$e.perToken = Gather <axis = 0> ($b.$e.sizes, $b.$e.one)
              $b.$e.two = Constant <value = int64[1] {2}> ()
              $b.$e.width = Gather <axis = 0> ($b.$e.sizes, $b.$e.two)
              $b.$e.flat = Flatten <axis = 2> ($b.$e.cube)
              $b.$e.from = Mul ($b.$e.token, $b.$e.perToken)
              $b.$e.place = Add ($b.$e.slot, $b.$e.from)
              $b.$e.found = Gather <axis = 0> ($b.$e.flat, $b.$e.place)
              $b.$e.places = Shape ($b.$e.place)
              $b.$e.any = Constant <value = int64[1] {-1}> ()
              $b.$e.as = Concat <axis = 0> ($b.$e.any, $b.$e.width)
              $b.$e.column = Reshape ($b.$e.found, $b.$e.as)
              $b.$e.to = Concat <axis = 0> ($b.$e.places, $b.$e.width)
              $b.$e.coefficient = Reshape ($b.$e.column, $b.$e.to)
              $b.$e.scaled = Mul ($b.$e.raw, $b.$e.coefficient)
              $b.$e.cast = Cast <to = $t> ($b.$e.scaled)
              $b.$e.at = Unsqueeze ($b.$e.token, $b.$e.axis)
              $b.$e.shape = Shape ($b.$e.cast)
              $b.$e.all = Expand ($b.$e.at, $b.$e.shape)
              $b.$e.ground = Shape ($b.$e.sum)
              $b.$e.fill = ConstantOfShape <value = float[1] {0}> ($b.$e.ground)
              $b.$e.zeros = Cast <to = $t> ($b.$e.fill)
              $b.$e.spread = ScatterElements <axis = 0> ($b.$e.zeros, $b.$e.all, $b.$e.cast)
              $b.$next.sum = Add ($b.$e.sum, $b.$e.spread)
              """,
              "")
          + "$b.routed = Identity ($b.$E.sum)\n";
    }
  },

  /**
   * Every expert computes every token and is scaled by its column of a matrix of routing weights.
   */
  DENSE_LOOP {
    @Override
    String weights(int experts) {
      return SPARSE_LOOP.weights(experts);
    }

    @Override
    String nodes(int experts) {
      return ROUTER
          + MATRIX
          + each(
              experts,
              """
              $b.$e.id = Constant <value = int64[1] {$e}> ()
              $b.$e.gated = MatMul ($b.x, $b.$e.gate)
              $b.$e.sigmoid = Sigmoid ($b.$e.gated)
              $b.$e.silu = Mul ($b.$e.gated, $b.$e.sigmoid)
              $b.$e.raised = MatMul ($b.x, $b.$e.up)
              $b.$e.act = Mul ($b.$e.silu, $b.$e.raised)
              $b.$e.raw = MatMul ($b.$e.act, $b.$e.down)
              $b.$e.column = Gather <axis = 1> ($b.matrix, $b.$e.id)
              $b.$e.scaled = Mul ($b.$e.raw, $b.$e.column)
              """,
              "")
          + "$b.1.sum = Add ($b.0.scaled, $b.1.scaled)\n"
          + IntStream.range(2, experts)
              .mapToObj(e -> "$b.%d.sum = Add ($b.%d.sum, $b.%d.scaled)\n".formatted(e, e - 1, e))
              .collect(Collectors.joining())
          + "$b.routed = Identity ($b.%d.sum)\n".formatted(experts - 1);
    }
  },

  /** Stacked weights with which every expert computes every token: gpt-oss of optimum-onnx. */
  STACKED_DENSE {
    @Override
    String weights(int experts) {
      return "$T[$H, $E] $b.router, $T[$E, $H, $F] $b.gateUp, $T[$E, $I, $H] $b.down";
    }

    @Override
    String nodes(int experts) {
      return ROUTER
          + MATRIX
          + """
          $b.copies = Tile ($b.x, repeats)
          $b.tokens = Reshape ($b.copies, apart)
          $b.both = MatMul ($b.tokens, $b.gateUp)
          $b.gated, $b.raised = Split <axis = 2> ($b.both, halves)
          $b.sigmoid = Sigmoid ($b.gated)
          $b.silu = Mul ($b.gated, $b.sigmoid)
          $b.act = Mul ($b.silu, $b.raised)
          $b.raw = MatMul ($b.act, $b.down)
          $b.turned = Transpose <perm = [1, 0]> ($b.matrix)
          $b.column = Unsqueeze ($b.turned, two)
          $b.scaled = Mul ($b.raw, $b.column)
          $b.routed = ReduceSum <keepdims = 0> ($b.scaled, zero)
          """;
    }
  },

  /** Stacked weights, of which every slot gathers its own: batched_mm of transformers 5. */
  GATHERED_WEIGHTS {
    @Override
    String weights(int experts) {
      return "$T[$H, $E] $b.router, $T[$E, $F, $H] $b.gateUp, $T[$E, $H, $I] $b.down";
    }

    @Override
    String nodes(int experts) {
      return ROUTER
          + """
          $b.apart = Unsqueeze ($b.x, one)
          $b.copies = Expand ($b.apart, perSlot)
          $b.tokens = Reshape ($b.copies, rows)
          $b.list = Reshape ($b.gates, last)
          $b.ids = Reshape ($b.chosen, last)
          $b.at = Unsqueeze ($b.ids, last)
          $b.gateUps = GatherND <batch_dims = 0> ($b.gateUp, $b.at)
          $b.columns = Unsqueeze ($b.tokens, last)
          $b.product = MatMul ($b.gateUps, $b.columns)
          $b.both = Squeeze ($b.product, last)
          $b.gated, $b.raised = Split <axis = 1> ($b.both, halves)
          $b.sigmoid = Sigmoid ($b.gated)
          $b.silu = Mul ($b.gated, $b.sigmoid)
          $b.act = Mul ($b.silu, $b.raised)
          $b.downs = GatherND <batch_dims = 0> ($b.down, $b.at)
          $b.acts = Unsqueeze ($b.act, last)
          $b.out = MatMul ($b.downs, $b.acts)
          $b.raw = Squeeze ($b.out, last)
          $b.column = Unsqueeze ($b.list, last)
          $b.scaled = Mul ($b.raw, $b.column)
          $b.slots = Reshape ($b.scaled, bySlot)
          $b.routed = ReduceSum <keepdims = 0> ($b.slots, one)
          """;
    }
  },

  /** Rows sorted by expert, each of which computes its segment: moe_infer of DeepSeek. */
  SORTED_SEGMENTS {
    @Override
    String weights(int experts) {
      return SPARSE_LOOP.weights(experts);
    }

    @Override
    String nodes(int experts) {
      return ROUTER
          + """
            $b.shape = Shape ($b.chosen)
            $b.tokens = Gather <axis = 0> ($b.shape, zero)
            $b.wide = Concat <axis = 0> ($b.tokens, width)
            $b.nothing = ConstantOfShape <value = int64[1] {0}> ($b.wide)
            $b.ones = Expand (unit, $b.shape)
            $b.hot = ScatterElements <axis = 1> ($b.nothing, $b.chosen, $b.ones)
            $b.counts = ReduceSum <keepdims = 0> ($b.hot, zero)
            $b.ends = CumSum ($b.counts, origin)
            $b.ids = Reshape ($b.chosen, last)
            $b.size = Shape ($b.ids)
            $b.sorted, $b.order = TopK <axis = -1, largest = 0> ($b.ids, $b.size)
            $b.token = Div ($b.order, slotsOfToken)
            $b.rows = Gather <axis = 0> ($b.x, $b.token)
            $b.limit = Squeeze ($b.size)
            $b.numbers = Range (origin, $b.limit, unit)
            $b.blank = ConstantOfShape <value = int64[1] {0}> ($b.size)
            $b.place = ScatterElements <axis = 0> ($b.blank, $b.order, $b.numbers)
            $b.0.bound = Identity (zero)
            """
          + each(
              experts,
              """
              $b.$e.id = Constant <value = int64 {$e}> ()
              $b.$e.end = Gather <axis = 0> ($b.ends, $b.$e.id)
              $b.$next.bound = Unsqueeze ($b.$e.end, zero)
              $b.$e.segment = Slice ($b.rows, $b.$e.bound, $b.$next.bound, zero, one)
              $b.$e.gated = MatMul ($b.$e.segment, $b.$e.gate)
              $b.$e.sigmoid = Sigmoid ($b.$e.gated)
              $b.$e.silu = Mul ($b.$e.gated, $b.$e.sigmoid)
              $b.$e.raised = MatMul ($b.$e.segment, $b.$e.up)
              $b.$e.act = Mul ($b.$e.silu, $b.$e.raised)
              $b.$e.piece = MatMul ($b.$e.act, $b.$e.down)
              """,
              "")
          + "$b.raw = Concat <axis = 0> ("
          + each(experts, "$b.$e.piece", ", ")
          + ")\n"
          + """
          $b.column = Unsqueeze ($b.gates, last)
          $b.placed = Gather <axis = 0> ($b.raw, $b.place)
          $b.slots = Reshape ($b.placed, bySlot)
          $b.scaled = Mul ($b.slots, $b.column)
          $b.routed = ReduceSum <keepdims = 0> ($b.scaled, one)
          """;
    }
  },

  /** One operator, as the onnxruntime-genai builder writes gpt-oss. */
  FUSED_OPERATOR {
    @Override
    String weights(int experts) {
      return "$T[$H, $E] $b.router, $T[$E] $b.shift, $T[$E, $F, $H] $b.gateUp,"
          + " $T[$E, $F] $b.gateUpShift, $T[$E, $H, $I] $b.down, $T[$E, $H] $b.downShift";
    }

    @Override
    String nodes(int experts) {
      return """
      $b.scores = MatMul ($b.x, $b.router)
      $b.logits = Add ($b.scores, $b.shift)
      $b.routed = com.microsoft.MoE <k = $k, activation_type = "swiglu", swiglu_fusion = 1, activation_alpha = 1.702, activation_beta = 1.0, swiglu_limit = 7.0, normalize_routing_weights = 1> ($b.x, $b.logits, $b.gateUp, $b.gateUpShift, $b.down, $b.downShift)
      """;
    }
  };

  /** Of all blocks together. */
  static final String CONSTANTS =
      """
      int64[1] k = {$k}, int64 experts = {$E}, int64[2] offOn = {0, 1}, int64[1] width = {$E},
      int64 slotsOfToken = {$k}, int64 origin = {0}, int64 unit = {1},
      int64[1] last = {-1}, int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2},
      int64[2] halves = {$I, $I}, int64[2] rows = {-1, $H}, int64[2] repeats = {$E, 1},
      int64[3] apart = {$E, -1, $H}, int64[3] perSlot = {1, $k, 1}, int64[3] bySlot = {-1, $k, $H}
      """;

  private static final String ROUTER =
      """
      $b.scores = MatMul ($b.x, $b.router)
      $b.logits = Cast <to = 1> ($b.scores)
      $b.shares = Softmax <axis = -1> ($b.logits)
      $b.best, $b.chosen = TopK <axis = -1, largest = 1> ($b.shares, k)
      $b.gates = Cast <to = $t> ($b.best)
      """;

  private static final String MATRIX =
      """
      $b.grid = Shape ($b.scores)
      $b.blank = ConstantOfShape <value = float[1] {0}> ($b.grid)
      $b.empty = Cast <to = $t> ($b.blank)
      $b.matrix = ScatterElements <axis = 1> ($b.empty, $b.chosen, $b.gates)
      """;

  /** The weights, as a signature declares them. */
  abstract String weights(int experts);

  abstract String nodes(int experts);

  private static String each(int experts, String part, String between) {
    return IntStream.range(0, experts)
        .mapToObj(
            e -> part.replace("$next", Integer.toString(e + 1)).replace("$e", Integer.toString(e)))
        .collect(Collectors.joining(between));
  }
}
