package io.moneonnx;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Rewriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * A rewritten model that was broken on purpose.
 *
 * @param kind how it was broken
 * @param what the value that was changed, and how
 */
public record Mutant(String kind, String what, Model model) {
  private static final Set<String> AFTER_SHARING =
      Set.of("Cast", "Reshape", "Mul", "Squeeze", "Unsqueeze", "Identity", "Flatten");

  /**
   * What can be broken in one block of a rewritten model.
   *
   * @param place where the block stands among the model's blocks
   */
  public static List<Mutant> of(
      Model original, Model rewritten, List<MoeBlock> blocks, int place, Change change) {
    List<Mutant> mutants = new ArrayList<>();
    Planter planter =
        new Planter(original.graph(), rewritten, blocks.get(place), Rewriter.prefix(place) + "/");
    planter.novices(change.experts().size(), mutants);
    planter.tables(mutants);
    planter.weight().ifPresent(mutants::add);
    planter.unshared().ifPresent(mutants::add);
    return mutants;
  }

  private record Planter(Graph original, Model rewritten, MoeBlock block, String prefix) {
    private Mutant with(String kind, String constant, Tensor tensor) {
      return new Mutant(
          kind, kind + " in " + constant, TinyMoe.withInitializer(rewritten, constant, tensor));
    }

    private Map<String, Initializer> constants() {
      return TinyMoe.constants(rewritten.graph());
    }

    /** One novice scaled, the first and the last; the first and the last swapped. */
    void novices(int replaced, List<Mutant> mutants) {
      Initializer novices = constants().get(prefix + "novices");
      if (novices == null) {
        return;
      }
      Tensor tensor = novices.tensor();
      mutants.add(with("novice scaled", novices.name(), scaled(tensor, 0)));
      if (replaced > 1) {
        mutants.add(with("novice scaled", novices.name(), scaled(tensor, replaced - 1)));
        List<Integer> order = new ArrayList<>();
        LongStream.range(0, tensor.dims().get(0)).forEach(row -> order.add((int) row));
        order.set(0, replaced - 1);
        order.set(replaced - 1, 0);
        mutants.add(with("novices swapped", novices.name(), tensor.rows(order)));
      }
    }

    private Tensor scaled(Tensor table, int row) {
      float[] values = table.toFloats();
      for (int i = row * block.hidden(); i < (row + 1) * block.hidden(); i++) {
        values[i] *= 1.5f;
      }
      return Tensor.of(table.type(), table.dims(), values);
    }

    /** One entry off by one, of each table of ids that the rewrite has added. */
    void tables(List<Mutant> mutants) {
      for (Initializer constant : constants().values()) {
        boolean isAdded =
            !original.initializers().containsKey(constant.name())
                && (constant.name().startsWith(prefix + "ints")
                    || constant.name().endsWith("/kept/ids"));
        if (isAdded && constant.tensor().rank() == 1 && constant.tensor().elements() > 2) {
          long[] ids = constant.tensor().toLongs();
          if (Arrays.stream(ids).allMatch(id -> id >= 0)) {
            ids[0] += ids[0] > 0 ? -1 : 1;
            mutants.add(with("id off by one", constant.name(), Tensor.vector(ids)));
          }
        }
      }
    }

    /** One element of the last weight of the experts that stay. */
    Optional<Mutant> weight() {
      return constants().values().stream()
          .filter(constant -> block.weights().contains(constant.name()) || isCutOut(constant))
          .filter(constant -> constant.tensor().rank() > 1)
          .filter(constant -> constant.tensor().elements() >= block.hidden())
          .reduce((first, last) -> last)
          .map(last -> with("weight changed", last.name(), changed(last.tensor())));
    }

    private boolean isCutOut(Initializer constant) {
      return !original.initializers().containsKey(constant.name())
          && constant.name().matches(".*/kept(_\\d+)?")
          && !constant.tensor().dims().contains(1L)
          && constant.tensor().rank() > 2;
    }

    private static Tensor changed(Tensor weight) {
      if (!weight.type().isFloating()) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(weight.byteSize()));
        bytes.put(weight.bytes()).flip();
        bytes.put(0, (byte) (bytes.get(0) ^ 0x88));
        return new Tensor.Inline(weight.type(), weight.dims(), bytes);
      }
      float[] values = weight.toFloats();
      float largest = 0;
      for (float value : values) {
        largest = Math.max(largest, Math.abs(value));
      }
      values[0] += largest;
      return Tensor.of(weight.type(), weight.dims(), values);
    }

    /** What the rewrite added reads routing weights from before they were shared out. */
    Optional<Mutant> unshared() {
      String routingWeights = block.routingWeights().value();
      return beforeSharing(routingWeights)
          .map(before -> reading(routingWeights, before))
          .filter(graph -> !graph.nodes().equals(rewritten.graph().nodes()))
          .map(graph -> new Mutant("not renormalised", routingWeights, rewritten.withGraph(graph)));
    }

    private Optional<String> beforeSharing(String value) {
      Optional<Node> maker = original.producer(value);
      if (maker.filter(node -> node.is("Div")).isPresent()) {
        return maker.map(node -> node.input(0));
      }
      return maker
          .filter(node -> AFTER_SHARING.contains(node.opType()))
          .flatMap(node -> beforeSharing(node.input(0)));
    }

    private Graph reading(String value, String otherwise) {
      Graph graph = rewritten.graph();
      return graph.withNodes(
          graph.nodes().stream()
              .map(
                  node ->
                      node.output().startsWith(prefix)
                          ? node.withInputs(
                              node.inputs().stream()
                                  .map(read -> read.equals(value) ? otherwise : read)
                                  .toList())
                          : node)
              .toList());
    }
  }
}
