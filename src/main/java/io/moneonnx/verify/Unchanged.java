package io.moneonnx.verify;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a rewritten graph must have as the original has it, and what it must have no more; a
 * sentence for each thing that is not so.
 *
 * @param original in its canonical spelling
 */
record Unchanged(Graph original, List<MoeBlock> blocks, Map<String, ? extends Change> changes) {
  /** What is not there, without which the two cannot be compared. */
  List<String> missing(Graph written) {
    List<String> missing = new ArrayList<>();
    compare("inputs", original.feeds(), written.feeds()).ifPresent(missing::add);
    compare("outputs", original.outputs(), written.outputs()).ifPresent(missing::add);
    for (MoeBlock block : blocks) {
      for (String value : asked(block)) {
        if (written.producer(value).isEmpty()) {
          missing.add(
              "block '%s': its routing is not found: no node makes '%s'"
                  .formatted(block.name(), value));
        }
      }
      if (new RoutedOutputs(original, written).of(block.output()).isEmpty()) {
        missing.add(
            "block '%s': its routed output is not found: what read '%s' is not there any more, or not as it was"
                .formatted(block.name(), block.output()));
      }
    }
    return missing;
  }

  private List<String> asked(MoeBlock block) {
    String choice = block.routing().choice().value();
    boolean isCut = changes.get(block.name()) instanceof Removal;
    return isCut && block.routingWeights().isShown()
        ? List.of(choice, block.routingWeights().value())
        : List.of(choice);
  }

  private static Optional<String> compare(String what, List<Value> wanted, List<Value> found) {
    return texts(found).equals(texts(wanted))
        ? Optional.empty()
        : Optional.of("its %s are %s, expected %s".formatted(what, texts(found), texts(wanted)));
  }

  private static String texts(List<Value> values) {
    return values.stream().map(Unchanged::text).sorted().collect(Collectors.joining(", "));
  }

  private static String text(Value value) {
    String type = value.type().map(known -> " " + known.text()).orElse("");
    return "'" + value.name() + "'" + type + value.shape().map(Object::toString).orElse("");
  }

  /** The routers that must have stayed as they were, but have not. */
  List<String> altered(Graph written) {
    return blocks.stream()
        .filter(block -> !(changes.get(block.name()) instanceof Removal))
        .filter(block -> !isSame(block.routing().router(), written))
        .map(
            block ->
                "block '%s': the weight '%s' of its router is not what it was"
                    .formatted(block.name(), block.routing().router()))
        .toList();
  }

  /** What tells why blocks are wrong that do not compute what they should. */
  List<String> hints(Graph written, List<String> wrong) {
    List<String> hints = new ArrayList<>();
    for (MoeBlock block : blocks) {
      boolean isChanged = changes.containsKey(block.name());
      boolean isWhole = block.weights().stream().allMatch(weight -> hasShape(weight, written));
      if (wrong.contains(block.name()) && !isChanged) {
        hints.add("block '%s' should be as it was, but is not".formatted(block.name()));
      } else if (wrong.contains(block.name()) && isWhole) {
        boolean isNarrow = changes.get(block.name()).experts().isEmpty();
        hints.add(
            isNarrow
                ? "block '%s' has all neurons of all its experts, expected %s"
                    .formatted(
                        block.name(), losesNeurons(block) ? "fewer" : "other down projections")
                : "block '%s' has the weights of all its %d experts, expected %d"
                    .formatted(
                        block.name(),
                        block.experts(),
                        block.experts() - changes.get(block.name()).experts().size()));
      }
    }
    return hints;
  }

  private boolean losesNeurons(MoeBlock block) {
    return changes.get(block.name()) instanceof Replacement replacement
        && replacement.narrow().values().stream()
            .anyMatch(expert -> expert.width() < block.inner());
  }

  private boolean isSame(String constant, Graph written) {
    Tensor wanted = original.constant(constant).orElseThrow();
    return written
        .constant(constant)
        .filter(found -> found.type() == wanted.type() && found.dims().equals(wanted.dims()))
        .filter(found -> found.bytes().equals(wanted.bytes()))
        .isPresent();
  }

  private boolean hasShape(String constant, Graph written) {
    return written
        .constant(constant)
        .map(Tensor::dims)
        .equals(original.constant(constant).map(Tensor::dims));
  }
}
