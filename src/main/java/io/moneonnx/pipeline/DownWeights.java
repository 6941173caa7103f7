package io.moneonnx.pipeline;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.narrow.DownMatrix;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

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
            .orElseGet(() -> own(block, expert));
  }

  private DownMatrix own(MoeBlock block, int expert) {
    Ffn ffn = block.ffn().get(expert);
    float[] stored = value(ffn.down().weight()).toFloats();
    return DownMatrix.of(
        ffn.hidden(), ffn.inner(), isNeuronFirst(ffn) ? transposed(stored, ffn) : stored);
  }

  private static boolean isNeuronFirst(Ffn ffn) {
    return ffn.down().in() < ffn.down().out();
  }

  private static float[] transposed(float[] columns, Ffn ffn) {
    float[] rows = new float[columns.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = columns[i % ffn.inner() * ffn.hidden() + i / ffn.inner()];
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
    Model model = edit.apply();
    try (Session session =
        Session.open(
            "the weight '%s'".formatted(name),
            OnnxWriter.toBytes(model.withGraph(making(made, model.graph())), subject.folder()),
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
