package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.Ffn.Projection;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.Weight;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Masks neurons of the original at its full width, and puts the re-fitted down projection in place,
 * its columns where they were among zeros:
 *
 * <pre>{@code
 * raw = MatMul (Mul (activations [rows, inner], isKept [inner]), down' [inner, hidden])
 * }</pre>
 *
 * Where the experts are stacked, the zeros alone do it: what meets them adds nothing, whichever row
 * it is in; and a number that is not finite, which zeros do not cancel, is no match for what the
 * narrowed experts make, so it cannot hide anything; experts that are not narrowed keep theirs:
 *
 * <pre>{@code
 * raw = MatMul (activations [experts, rows, inner], down' [experts, inner, hidden])
 * }</pre>
 *
 * Down projections that are quantised stay as they are, but for {@link RoundedColumns}, behind
 * activations that are masked. Where an operator computes the experts within, what makes the lost
 * neurons is scaled by zero instead: 0 is what every activation makes of 0.
 *
 * <p>The oracle of experts that were narrowed. It is made from the original graph and the plan, by
 * nothing that cuts weights.
 */
final class NeuronMask {
  private final Ops ops;
  private final MoeBlock block;
  private final List<Ffn> experts;

  NeuronMask(Ops ops, MoeBlock block) {
    this.ops = ops;
    this.block = block;
    this.experts = block.ffn();
  }

  /** Rows of experts that are overwritten besides must be overwritten afterwards. */
  void apply(Map<Integer, NarrowExpert> narrow) {
    if (experts.size() == block.experts()) {
      narrow.forEach((id, kept) -> mask(experts.get(id), kept));
    } else if (narrow.values().stream().anyMatch(NarrowExpert::isRefitted)) {
      stacked(experts.get(0), narrow);
    } else if (!narrow.isEmpty()) {
      silence(experts.get(0), narrow);
      new RoundedColumns(ops, experts.get(0), block.experts()).apply(narrow);
    }
  }

  /** Zeros in the scales and biases of what makes the neurons that are lost, inside an operator. */
  private void silence(Ffn ffn, Map<Integer, NarrowExpert> narrow) {
    Node node = ops.edit().graph().producer(ffn.up().product()).orElseThrow();
    for (Projection first : Stream.concat(ffn.gate().stream(), Stream.of(ffn.up())).toList()) {
      silence(node, first.packed().orElseThrow().scales(), ffn, narrow);
      first.bias().ifPresent(bias -> silence(node, node.inputs().indexOf(bias), ffn, narrow));
    }
  }

  private void silence(Node node, int input, Ffn ffn, Map<Integer, NarrowExpert> narrow) {
    Tensor all = Weight.behind(ops.edit().graph(), node.input(input)).orElseThrow().tensor();
    float[] values = all.toFloats();
    int channels = all.dims().get(1).intValue();
    int each = values.length / block.experts() / channels;
    Map<Integer, Set<Integer>> kept = new HashMap<>();
    narrow.forEach((id, expert) -> kept.put(id, Set.copyOf(expert.neurons())));
    for (int i = 0; i < values.length; i++) {
      Set<Integer> own = kept.get(i / each / channels);
      int channel = i / each % channels;
      int neuron = ffn.kind() == Ffn.Kind.INTERLEAVED ? channel / 2 : channel % ffn.inner();
      if (own != null && !own.contains(neuron)) {
        values[i] = 0;
      }
    }
    ops.edit()
        .setInput(node, input, ops.constant("silent", Tensor.of(all.type(), all.dims(), values)));
  }

  /** The down projections of all experts; those that are not narrowed stay as they are. */
  private void stacked(Ffn ffn, Map<Integer, NarrowExpert> narrow) {
    Projection down = ffn.down();
    GraphEdit edit = ops.edit();
    int[] sizes = new int[3];
    int expertAxis = 3 - down.in() - down.out();
    sizes[expertAxis] = block.experts();
    sizes[down.in()] = ffn.inner();
    sizes[down.out()] = ffn.hidden();
    float[] values = new float[sizes[0] * sizes[1] * sizes[2]];
    narrow.forEach(
        (expert, kept) -> {
          int[] place = new int[3];
          place[expertAxis] = expert;
          for (int column = 0; column < kept.width(); column++) {
            place[down.in()] = kept.neurons().get(column);
            for (int row = 0; row < ffn.hidden(); row++) {
              place[down.out()] = row;
              int at = (place[0] * sizes[1] + place[1]) * sizes[2] + place[2];
              values[at] = kept.down(row, column);
            }
          }
        });
    Optional<Node> gather = gather(down.weight());
    String bank = gather.map(node -> node.input(0)).orElse(down.weight());
    ElementType stored = Weight.behind(edit.graph(), bank).orElseThrow().tensor().type();
    List<Long> dims = IntStream.of(sizes).mapToObj(Long::valueOf).toList();
    String stack = ops.constant("down", Tensor.of(stored, dims, values));
    ElementType type = edit.type(down.weight()).orElse(stored);
    String masked = ops.cast(ofRows(gather, stack), type);
    Node product = edit.graph().producer(down.product()).orElseThrow();
    String others = ops.greater(ofRows(gather, isOther(narrow, expertAxis)), ops.scalar(0f));
    edit.setInput(
        product,
        product.inputs().indexOf(down.weight()),
        narrow.size() == block.experts() ? masked : ops.where(others, down.weight(), masked));
  }

  private String ofRows(Optional<Node> gather, String stack) {
    return gather
        .map(node -> ops.apply(node, List.of(stack, node.input(1)), Map.of()))
        .orElse(stack);
  }

  /** 1 for experts that are not narrowed, 0 for others, along an axis of three. */
  private String isOther(Map<Integer, NarrowExpert> narrow, int axis) {
    float[] isOther = new float[block.experts()];
    IntStream.range(0, isOther.length).forEach(id -> isOther[id] = narrow.containsKey(id) ? 0 : 1);
    List<Long> dims =
        IntStream.range(0, 3).mapToObj(at -> at == axis ? (long) isOther.length : 1L).toList();
    return ops.constant("isOther", Tensor.of(dims, isOther));
  }

  /** What gathers the weights of each row's expert, if anything does. */
  private Optional<Node> gather(String weight) {
    Optional<Node> made = ops.edit().graph().producer(weight);
    return made.filter(node -> Weight.behind(ops.edit().graph(), weight).isEmpty())
        .flatMap(node -> node.is("Gather") || node.is("GatherND") ? made : gather(node.input(0)));
  }

  private void mask(Ffn ffn, NarrowExpert narrow) {
    GraphEdit edit = ops.edit();
    Node product = edit.graph().producer(ffn.down().product()).orElseThrow();
    String activations = ffn.activations().orElseThrow();
    String masked = ops.mul(activations, isKept(ffn, narrow, edit.type(activations).orElseThrow()));
    edit.setInput(product, product.inputs().indexOf(activations), masked);
    if (narrow.isRefitted()) {
      edit.setInput(product, product.inputs().indexOf(ffn.down().weight()), down(ffn, narrow));
    }
    new RoundedColumns(ops, ffn, 1).apply(Map.of(0, narrow));
  }

  private String isKept(Ffn ffn, NarrowExpert narrow, ElementType type) {
    float[] mask = new float[ffn.inner()];
    narrow.neurons().forEach(neuron -> mask[neuron] = 1);
    return ops.constant("isKept", Tensor.of(type, List.of((long) mask.length), mask));
  }

  /** The whole matrix, rounded as the model stores it. */
  private String down(Ffn ffn, NarrowExpert narrow) {
    Weight weight = Weight.behind(ops.edit().graph(), ffn.down().weight()).orElseThrow();
    List<Integer> neurons = narrow.neurons();
    int inner = ffn.inner();
    int hidden = ffn.hidden();
    boolean isInByOut = ffn.down().in() < ffn.down().out();
    float[] matrix = new float[inner * hidden];
    for (int column = 0; column < neurons.size(); column++) {
      for (int row = 0; row < hidden; row++) {
        int neuron = neurons.get(column);
        matrix[isInByOut ? neuron * hidden + row : row * inner + neuron] = narrow.down(row, column);
      }
    }
    ElementType type = weight.tensor().type();
    String whole = ops.constant("down", Tensor.of(type, weight.dims(), matrix));
    return ops.cast(whole, ops.edit().type(ffn.down().weight()).orElse(type));
  }
}
