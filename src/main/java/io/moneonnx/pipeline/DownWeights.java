package io.moneonnx.pipeline;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.Activations;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.narrow.DownMatrix;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Down projections of experts as numbers: what is stored, or what the graph makes of it. */
final class DownWeights {
  private final LoadedModel subject;

  DownWeights(LoadedModel subject) {
    this.subject = subject;
  }

  /** By expert, {@code [hidden, inner]}, of a block that shows what its experts compute. */
  IntFunction<DownMatrix> of(MoeBlock block, NeuronCut neurons) {
    return expert ->
        neurons
            .stackedDown(expert)
            .map(matrix -> DownMatrix.of(block.hidden(), block.inner(), matrix))
            .orElseGet(
                () ->
                    block.ffn().size() == block.experts()
                        ? own(block, expert)
                        : inside(block, expert));
  }

  /** What an operator makes of one neuron after the other, less what it makes of none. */
  private DownMatrix inside(MoeBlock block, int expert) {
    GraphEdit edit = new GraphEdit(subject.model());
    Ops ops = new Ops(edit, "mone.weight");
    Activations.Recomputed experts =
        (Activations.Recomputed) block.claim().layout().recomputed(ops).orElseThrow();
    String id = ops.vector(expert);
    String none =
        ops.constant(
            "none", Tensor.of(List.of(1L, (long) block.inner()), new float[block.inner()]));
    String each = ops.constant("each", unit(block.inner()));
    String columns =
        ops.sub(experts.outputs(ops, id, each), experts.outputs(ops, id, none)); // [inner, hidden]
    float[] made = run(edit, columns).toFloats();
    return DownMatrix.of(
        block.hidden(), block.inner(), transposed(made, block.inner(), block.hidden()));
  }

  /** What a product makes of one neuron after the other. */
  private DownMatrix packed(Ffn ffn) {
    Node product = subject.model().graph().producer(ffn.down().product()).orElseThrow();
    GraphEdit edit = new GraphEdit(subject.model());
    Ops ops = new Ops(edit, "mone.weight");
    ElementType type = edit.type(ffn.activations().orElseThrow()).orElse(ElementType.FLOAT);
    List<String> inputs = new ArrayList<>(product.inputs());
    inputs.set(0, ops.cast(ops.constant("each", unit(ffn.inner())), type));
    ffn.down()
        .bias()
        .ifPresent(bias -> inputs.replaceAll(input -> input.equals(bias) ? "" : input));
    String columns = ops.cast(ops.apply(product, inputs, Map.of()), ElementType.FLOAT);
    float[] made = run(edit, columns).toFloats();
    return DownMatrix.of(ffn.hidden(), ffn.inner(), transposed(made, ffn.inner(), ffn.hidden()));
  }

  private static Tensor unit(int size) {
    float[] unit = new float[size * size];
    IntStream.range(0, size).forEach(i -> unit[i * size + i] = 1);
    return Tensor.of(List.of((long) size, (long) size), unit);
  }

  private DownMatrix own(MoeBlock block, int expert) {
    Ffn ffn = block.ffn().get(expert);
    if (ffn.down().packed().isPresent()) {
      return packed(ffn);
    }
    float[] stored = value(ffn.down().weight()).toFloats();
    return DownMatrix.of(
        ffn.hidden(),
        ffn.inner(),
        isNeuronFirst(ffn) ? transposed(stored, ffn.inner(), ffn.hidden()) : stored);
  }

  private static boolean isNeuronFirst(Ffn ffn) {
    return ffn.down().in() < ffn.down().out();
  }

  private static float[] transposed(float[] columns, int inner, int hidden) {
    float[] rows = new float[columns.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = columns[i % inner * hidden + i / inner];
    }
    return rows;
  }

  private Tensor value(String name) {
    Optional<Tensor> constant = subject.model().graph().constant(name);
    if (constant.isPresent()) {
      return constant.get();
    }
    GraphEdit edit = new GraphEdit(subject.model());
    String made = new Ops(edit, "mone.weight").cast(name, ElementType.FLOAT);
    return run(edit, made);
  }

  private Tensor run(GraphEdit edit, String made) {
    edit.addOutput(Value.untyped(made, ElementType.FLOAT));
    Model model = edit.apply();
    try (Session session =
        Session.open(
            "the weight '%s'".formatted(made),
            model.withGraph(making(made, model.graph())),
            subject.folder(),
            RunOptions.cpu())) {
      return session.run(Map.of(), List.of(made)).get(made);
    }
  }

  /** Nothing but what makes a value of constants. */
  private static Graph making(String value, Graph graph) {
    return DeadCode.remove(
        new Graph(
            "weight",
            graph.nodes(),
            graph.initializers(),
            List.of(),
            List.of(Value.untyped(value, ElementType.FLOAT)),
            Map.of(),
            UnknownFields.NONE));
  }
}
