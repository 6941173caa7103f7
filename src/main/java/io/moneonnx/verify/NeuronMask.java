package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.Weight;
import java.util.List;
import java.util.Map;

/**
 * Masks neurons of the original at its full width, and puts the re-fitted down projection in place,
 * its columns where they were among zeros:
 *
 * <pre>{@code
 * raw = MatMul (Mul (activations [rows, inner], isKept [inner]), down' [inner, hidden])
 * }</pre>
 *
 * The oracle of experts that were narrowed. It is made from the original graph and the plan, by
 * nothing that cuts weights.
 */
final class NeuronMask {
  private final Ops ops;
  private final List<Ffn> experts;

  NeuronMask(Ops ops, MoeBlock block) {
    this.ops = ops;
    this.experts = block.ffn();
  }

  void apply(Map<Integer, NarrowExpert> narrow) {
    narrow.forEach((id, kept) -> mask(experts.get(id), kept));
  }

  /** An expert that keeps all its neurons keeps its own down projection too. */
  private void mask(Ffn ffn, NarrowExpert narrow) {
    if (narrow.width() < ffn.inner()) {
      GraphEdit edit = ops.edit();
      Node product = edit.graph().producer(ffn.down().product()).orElseThrow();
      String activations = ffn.activations().orElseThrow();
      String masked =
          ops.mul(activations, isKept(ffn, narrow, edit.type(activations).orElseThrow()));
      edit.setInput(product, product.inputs().indexOf(activations), masked);
      edit.setInput(product, product.inputs().indexOf(ffn.down().weight()), down(ffn, narrow));
    }
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
