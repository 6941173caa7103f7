package io.moneonnx.form;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.Activations;
import io.moneonnx.moe.Atoms;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.RouterCut;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import io.moneonnx.moe.Target;
import io.moneonnx.moe.WeightView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * Where the experts of a fused operator are.
 *
 * <p>The experts' outputs are seen where each choice is given to the operator as a token of its
 * own:
 *
 * <pre>{@code
 * rows = MoE <k = 1> (x once for each choice, OneHot (indices), up, ...)    [tokens * topK, hidden]
 * }</pre>
 *
 * <p>Removing experts cuts the leading axis of what the operator reads. It still renormalises what
 * it chooses, so the routing weights are computed outside, and those of the kept ones scale its
 * output:
 *
 * <pre>{@code
 * s  = the scores of the chosen experts, -1e30 where one is not chosen         [tokens, experts]
 * g  = routing weights of the chosen experts, 0 where one is not chosen        [tokens, experts]
 * y' = MoE <k> (x, Gather <axis = 1> (s, kept), up [kept, ...], ...)
 *      * ReduceSum (Gather <axis = 1> (g, kept))
 * }</pre>
 *
 * <p>Where the routing weights are no softmax of the scores, the logarithms of {@code g} take their
 * place: the operator's softmax makes shares of them. Weights, scales and all else of the experts
 * are cut as bytes, packed as they are.
 *
 * <p>Where atoms take the place of the experts, each has the score of its expert, and as many are
 * chosen as the experts that are chosen can have: what is chosen beside theirs has no part.
 *
 * @param perExpert for each input that holds something of each expert what it holds
 * @param target who runs it, and so reads what is packed in it
 */
record FusedLayout(
    Node node,
    SortedMap<Integer, WeightView> perExpert,
    Routing routing,
    FusedRouting inside,
    Target target)
    implements Layout {
  private static final float FAR_BELOW = -1e4f;
  private static final float LEAST = 1e-30f;

  FusedLayout {
    perExpert = new TreeMap<>(perExpert);
  }

  private String tokens() {
    return node.input(FusedSignature.TOKENS);
  }

  private ElementType type(Ops ops) {
    return ops.edit().type(node.output()).orElseThrow();
  }

  @Override
  public Rows rows(Ops ops) {
    String perToken = ops.unsqueeze(ops.reshape(kept(ops), -1, routing.hidden()), 1);
    String copies = ops.expand(perToken, ops.vector(1, routing.topK(), 1));
    String ids = ops.reshape(routing.indices(ops), -1);
    String onlyThese = ops.cast(ops.oneHot(ids, routing.experts(), FAR_BELOW, 0), type(ops));
    String tokenOfSlot = ops.reshape(copies, -1, routing.hidden());
    Map<Integer, String> now = new HashMap<>();
    perExpert.keySet().forEach(input -> now.put(input, ops.edit().input(node, input)));
    return new Rows.Recomputed(applied(ops, tokenOfSlot, onlyThese, now, 1));
  }

  @Override
  public Optional<Activations> recomputed(Ops ops) {
    return FusedActivations.of(ops, node, ffn(), routing.topK());
  }

  /** What the experts compute; empty where it is opaque. */
  Optional<Ffn> ffn() {
    Map<Integer, List<Long>> dims = new HashMap<>();
    perExpert.forEach((input, weight) -> dims.put(input, weight.dims()));
    return FusedSignature.of(node).orElseThrow().ffn(node, dims, target);
  }

  /**
   * The tokens, read when the operator is done with them where it does not renormalise: ONNX
   * Runtime's CPU lets it write over its input otherwise, and what comes out is 0.
   */
  private String kept(Ops ops) {
    return node.intAttribute(FusedSignature.NORMALISED, 0) == 1
        ? tokens()
        : ops.reshapeLike(tokens(), node.output());
  }

  @Override
  public void remove(Ops ops, Set<Integer> pruned) {
    List<Integer> kept = routing.without(pruned);
    if (kept.isEmpty()) {
      ops.edit().redirect(node.output(), ops.zeros(ops.shape(tokens()), type(ops)));
      return;
    }
    int topK = Math.min(routing.topK(), kept.size());
    compute(ops, kept, topK, input -> perExpert.get(input).keep(ops, 0, kept));
  }

  @Override
  public Optional<String> indivisible(Optional<String> bias) {
    return bias.filter(
            value -> perExpert.keySet().stream().map(node::input).noneMatch(value::equals))
        .map(Atoms::sharedBias);
  }

  @Override
  public void split(Ops ops, Atoms atoms, Optional<String> bias) {
    List<Integer> owners = atoms.owners();
    int topK = Math.min(routing.topK() * atoms.most(), owners.size());
    compute(
        ops,
        owners,
        topK,
        input -> {
          if (Atoms.areIn(ops.edit().graph(), ops, node.input(input))) {
            return ops.edit().input(node, input);
          }
          WeightView weight = perExpert.get(input);
          String perAtom = weight.keep(ops, 0, owners);
          return bias.filter(node.input(input)::equals).isPresent()
              ? atoms.once(ops, perAtom, 0, weight.dims().size())
              : perAtom;
        });
  }

  /**
   * Lets these experts be computed, of which one may stand several times.
   *
   * @param weights by input what the operator reads
   */
  private void compute(Ops ops, List<Integer> experts, int topK, IntFunction<String> weights) {
    String ids = ops.vector(experts.stream().mapToLong(Integer::longValue).toArray());
    String g = ops.gather(inside.perExpert(ops, routing), ids, 1);
    Map<Integer, String> cut = new HashMap<>();
    perExpert.keySet().forEach(input -> cut.put(input, weights.apply(input)));
    String y = applied(ops, tokens(), scores(ops, ids, g), cut, topK);
    String scaled = scaled(ops, y, ops.reduceSum(g, true, 1));
    ops.edit().redirect(node.output(), scaled);
  }

  /** The rows of {@code y}, each times its element of {@code factors [tokens, 1]} in float32. */
  private String scaled(Ops ops, String y, String factors) {
    boolean isMatrix = ops.edit().rank(tokens()).orElse(0) == 2;
    String rows = isMatrix ? y : ops.reshape(y, -1, routing.hidden());
    String scaled = ops.mul(ops.cast(rows, ElementType.FLOAT), factors);
    String result = ops.cast(scaled, type(ops));
    return isMatrix ? result : ops.reshapeLike(result, y);
  }

  /**
   * An operator that shares one among those it chooses does so by itself among those that are kept.
   * Any other one is given routing weights that are computed outside, from scores without the
   * others.
   */
  @Override
  public void cut(Ops ops, RouterCut router, Set<Integer> pruned) {
    String scores = router.apply(ops, pruned);
    boolean isGiven = node.given(FusedSignature.WEIGHTS).isPresent();
    if (isGiven || !(inside instanceof FusedRouting.OverChosen)) {
      Routing masked = routing.with(routing.choice().by(scores));
      new FusedLayout(node, perExpert, masked, inside, target).remove(ops, pruned);
      return;
    }
    List<Integer> kept = routing.without(pruned);
    String ids = ops.vector(kept.stream().mapToLong(Integer::longValue).toArray());
    ops.edit().setInput(node, FusedSignature.SCORES, ops.gather(scores, ids, 1));
    perExpert.forEach(
        (input, weight) -> ops.edit().setInput(node, input, weight.keep(ops, 0, kept)));
  }

  /** Scores of which the operator makes the shares of {@code g [tokens, kept]} in their sum. */
  private String scores(Ops ops, String ids, String g) {
    String scores =
        inside.isSoftmax()
            ? ops.gather(FusedRouting.chosenScores(ops, routing), ids, 1)
            : ops.log(ops.max(g, ops.scalar(LEAST)));
    return ops.cast(scores, type(ops));
  }

  /** The operator, choosing {@code topK} by these scores alone and renormalising. */
  private String applied(
      Ops ops, String tokens, String scores, Map<Integer, String> cut, int topK) {
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(FusedSignature.TOKENS, tokens);
    inputs.set(FusedSignature.SCORES, scores);
    cut.forEach(inputs::set);
    if (inputs.size() > FusedSignature.WEIGHTS) {
      inputs.set(FusedSignature.WEIGHTS, "");
    }
    return ops.apply(
        node,
        inputs,
        Map.of(
            FusedSignature.TOP_K, Attribute.of(topK),
            FusedSignature.NORMALISED, Attribute.of(1),
            FusedSignature.SPARSE_MIXER, Attribute.of(0)));
  }
}
