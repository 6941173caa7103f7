package io.moneonnx.observe;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Rows;
import io.moneonnx.profile.Statistic.Detail;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Adds outputs to a model that say, run by run, how its blocks use their experts. */
public final class Observer {
  private Observer() {}

  /**
   * A model with observer outputs.
   *
   * @param valid by sequence the input that says which of its tokens count: float32 {@code
   *     [tokens]} or {@code [1]}
   * @param taps of each block
   */
  record Observed(Model model, Map<Padding, String> valid, List<Taps> taps) {
    /** The model without its own outputs, and without what only they need. */
    Model tapsOnly() {
      List<Value> outputs =
          taps.stream()
              .flatMap(tap -> tap.outputs().stream())
              .map(output -> Value.untyped(output, ElementType.FLOAT))
              .toList();
      return model.withGraph(DeadCode.remove(model.graph().withOutputs(outputs)));
    }
  }

  /**
   * Adds the statistics of each block.
   *
   * <p>The last block's come first: ONNX Runtime runs what leads to the last node that nobody reads
   * first (GraphViewer in its core/graph/graph_viewer.cc), and a block has one such node. So each
   * block is summed up as soon as it is computed, and its rows are gone before the next one's come.
   */
  static Observed observe(Model model, List<MoeBlock> blocks, Moments moments, Detail detail) {
    GraphEdit edit = new GraphEdit(model);
    Map<Padding, String> valid = new EnumMap<>(Padding.class);
    Deque<Taps> taps = new ArrayDeque<>();
    for (int i = blocks.size() - 1; i >= 0; i--) {
      MoeBlock block = blocks.get(i);
      Ops ops = new Ops(edit, "mone.observe." + i);
      String counting =
          valid.computeIfAbsent(Padding.of(model.graph(), block), padding -> input(edit, padding));
      String check = edit.fresh("mone.check." + i);
      edit.addInput(Value.untyped(check, ElementType.BOOL));
      Rows rows = block.rows(ops);
      RowStatistics.Added added =
          new RowStatistics(ops, block, moments, detail).add(rows, counting, check);
      boolean standsIn = rows.isBesideBlock();
      taps.addFirst(Taps.of(ops, block, check, standsIn, added));
      taps.getFirst()
          .outputs()
          .forEach(output -> edit.addOutput(Value.untyped(output, ElementType.FLOAT)));
    }
    return new Observed(edit.apply(), valid, List.copyOf(taps));
  }

  private static String input(GraphEdit edit, Padding padding) {
    String name = edit.fresh("mone.valid." + padding.name().toLowerCase(Locale.ROOT));
    edit.addInput(Value.untyped(name, ElementType.FLOAT));
    return name;
  }
}
