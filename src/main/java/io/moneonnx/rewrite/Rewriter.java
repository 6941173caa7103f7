package io.moneonnx.rewrite;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Replaces experts by novices, narrows them, or cuts them out: the same steps for every form. */
public final class Rewriter {
  private Rewriter() {}

  /**
   * The model with these changes, which says in its metadata what they are; the original itself
   * where nothing is changed.
   *
   * @param changes by name of block; blocks without one stay untouched
   * @throws io.moneonnx.graph.BadInputException if a router cannot lose the experts that it should,
   *     or an expert its neurons
   */
  public static Model rewrite(
      Canonical model, List<MoeBlock> blocks, Map<String, ? extends Change> changes) {
    GraphEdit edit = model.edit();
    List<Provenance.Target> targets = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Change change = changes.get(block.name());
      if (change != null && !change.isNothing()) {
        targets.add(apply(change, new Ops(edit, prefix(i)), block));
      }
    }
    return targets.isEmpty()
        ? model.original()
        : Provenance.with(withNodesOfTables(model.original(), model.spelled(edit)), targets);
  }

  /**
   * Tables of ids and marks that were added as {@code Constant} nodes: ONNX Runtime's quantiser to
   * 4 bits takes each initializer that a {@code Gather} picks from for a weight.
   */
  private static Model withNodesOfTables(Model original, Model rewritten) {
    Graph graph = rewritten.graph();
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      Initializer picked = initializers.get(node.input(0));
      if (node.is("Gather") && picked != null && isTable(original.graph(), picked)) {
        nodes.add(constant(initializers.remove(picked.name())));
      }
    }
    nodes.addAll(graph.nodes());
    return rewritten.withGraph(graph.with(nodes, initializers));
  }

  private static boolean isTable(Graph original, Initializer constant) {
    return !original.initializers().containsKey(constant.name()) && constant.tensor().rank() == 1;
  }

  private static Node constant(Initializer initializer) {
    String name = initializer.name();
    Map<String, Attribute> value = Map.of("value", Attribute.of(initializer.tensor()));
    return Node.of("Constant", List.of(), List.of(name), value).withName(name);
  }

  /** How the values begin that are made for a block, by where it stands in the model's list. */
  public static String prefix(int block) {
    return "mone." + block;
  }

  private static Provenance.Target apply(Change change, Ops ops, MoeBlock block) {
    String novices = "";
    if (change instanceof Replacement replacement) {
      novices = replace(replacement, ops, block);
    } else if (change instanceof Removal removal) {
      block.cut(ops, removal.router(ops.edit().graph(), block), removal.ids());
    }
    return new Provenance.Target(block.name(), block.experts(), change, novices);
  }

  /** The initializer whose rows are the novices; nothing is added where all of them are zero. */
  private static String replace(Replacement replacement, Ops ops, MoeBlock block) {
    TreeSet<Integer> gone = new TreeSet<>(replacement.experts());
    if (replacement.narrow().isEmpty()) {
      block.remove(ops, gone);
    } else {
      replacement.neurons(ops.edit().graph(), block).apply(ops, replacement.narrow(), gone);
    }
    if (replacement.isByNothing()) {
      return "";
    }
    NoviceTerm term = new NoviceTerm(ops, block);
    String novices = term.novices(replacement);
    String kept = ops.edit().current(block.output());
    ops.edit().redirect(block.output(), term.addTo(kept, replacement, novices));
    return novices;
  }
}
