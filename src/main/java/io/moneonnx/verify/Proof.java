package io.moneonnx.verify;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.KeyValueBuffers;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.graph.ValueTypes;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Proves a rewritten file against the oracle: block by block on the block's own input, taken from a
 * run of the original, with the choices of that run and with choices that reach every expert; and
 * end to end. Where experts are cut out of a router, the original is one that never chooses them,
 * and the router is proved by itself too.
 */
public final class Proof {
  private final ProofRuns bench;
  private final List<MoeBlock> blocks;
  private final Map<String, ? extends Change> changes;

  /**
   * A proof for what was changed in a model.
   *
   * @param original in its canonical spelling, in which the blocks were found
   * @param folder where the original's files lie
   */
  public Proof(
      Model original,
      Path folder,
      List<MoeBlock> blocks,
      Map<String, ? extends Change> changes,
      RunOptions options) {
    Masked masked = Masked.of(original, blocks, changes);
    this.bench = new ProofRuns(masked.model(), folder, options);
    this.blocks = masked.blocks();
    this.changes = changes;
  }

  /** Tokens that a run should have so that every expert of every block can be chosen in it. */
  public static int tokens(List<MoeBlock> blocks) {
    return blocks.stream().mapToInt(EveryExpert::tokens).max().orElse(1);
  }

  /**
   * Runs the proof on the file as it was written.
   *
   * @param feeds inputs of the original to try, one run each
   */
  public Verdict of(Path rewritten, List<Map<String, Tensor>> feeds) {
    return of(OnnxReader.read(rewritten), rewritten.toAbsolutePath().getParent(), feeds);
  }

  /**
   * The same on a model of which a file holds more.
   *
   * @param folder where that file lies
   */
  public Verdict of(Model asWritten, Path folder, List<Map<String, Tensor>> feeds) {
    Model written = Canonical.of(asWritten).model();
    Unchanged unchanged = new Unchanged(bench.original().graph(), blocks, changes);
    List<String> missing = unchanged.missing(written.graph());
    if (!missing.isEmpty()) {
      return Verdict.broken(missing, blocks);
    }
    Verdict verdict = of(asWritten, written, folder, feeds);
    return verdict
        .with(unchanged.altered(written.graph()))
        .with(unchanged.hints(written.graph(), verdict.wrongBlocks()));
  }

  private Verdict of(
      Model asWritten, Model written, Path writtenFolder, List<Map<String, Tensor>> feeds) {
    Oracle.Substituted oracle = Oracle.of(bench.original(), blocks, changes);
    BlockProof blockByBlock = new BlockProof(bench, writtenFolder, changes);
    RoutedOutputs outputs = new RoutedOutputs(bench.original().graph(), written.graph());
    RouterProof routers = new RouterProof(bench, writtenFolder);
    for (MoeBlock block : blocks) {
      blockByBlock.add(block, oracle, written, outputs.of(block.output()).orElseThrow());
      if (changes.get(block.name()) instanceof Removal removal) {
        routers.add(block, removal, written);
      }
    }
    Map<String, Double> errors = blockByBlock.errors(feeds);
    List<Verdict.Flip> flips = new ArrayList<>();
    for (RouterCheck router : routers.checks(feeds)) {
      errors.merge(router.name(), router.worst(), Math::max);
      flips.addAll(router.flips());
    }
    Verdict verdict =
        endToEnd(oracle.model(), asWritten, written, writtenFolder, feeds, errors)
            .with(blockByBlock.failures(), flips);
    return verdict.mayBeRounding()
        ? verdict.within(
            new RoundingEffect(bench, oracle, blocks)
                .widened(verdict.bounds(), errors, outputs(), values(), feeds))
        : verdict;
  }

  private List<String> outputs() {
    return comparedOutputs(bench.original().graph()).map(Value::name).distinct().toList();
  }

  /** The outputs, and each block's choice. */
  private Set<String> choices() {
    Set<String> choices = new LinkedHashSet<>();
    blocks.forEach(block -> choices.add(block.routing().choice().value()));
    choices.addAll(outputs());
    return choices;
  }

  /** The same, and the scores that the blocks choose by. */
  private Set<String> values() {
    Set<String> values = new LinkedHashSet<>();
    blocks.forEach(block -> values.add(block.routing().choice().scores()));
    values.addAll(choices());
    return values;
  }

  private Verdict endToEnd(
      Model oracle,
      Model asWritten,
      Model written,
      Path writtenFolder,
      List<Map<String, Tensor>> feeds,
      Map<String, Double> blockErrors) {
    Set<String> choices = choices();
    Set<String> scores = values();
    List<String> outputs = outputs();
    EndToEnd comparison = new EndToEnd(blocks, outputs);
    Set<String> lost = new LinkedHashSet<>();
    try (Session expected = bench.open(ProofRuns.withOutputs(oracle, scores), bench.folder());
        Written found = Written.open(bench, asWritten, written, writtenFolder, choices)) {
      for (Map<String, Tensor> feed : feeds) {
        Map<String, Tensor> right = expected.run(feed, scores);
        comparison.add(right, found.run(feed));
        lost.addAll(bench.lost(outputs, right, feed));
      }
    }
    return comparison
        .verdict(blockErrors)
        .with(
            lost.stream()
                .map(
                    name ->
                        "output '%s' is not finite with these novices, expected finite numbers as in the original"
                            .formatted(name))
                .toList());
  }

  /**
   * What was written, as it was written; values that it makes only where a function is called, or
   * in a body, come from its canonical spelling.
   */
  private record Written(Session file, Optional<Session> canonical, Set<String> values)
      implements AutoCloseable {
    static Written open(
        ProofRuns bench, Model asWritten, Model written, Path folder, Set<String> values) {
      Session file = bench.open(ProofRuns.withOutputs(asWritten, values), folder);
      boolean isWhole = file.outputs().containsAll(values);
      return new Written(
          file,
          isWhole
              ? Optional.empty()
              : Optional.of(bench.open(ProofRuns.withOutputs(written, values), folder)),
          values);
    }

    Map<String, Tensor> run(Map<String, Tensor> feed) {
      Set<String> own = new LinkedHashSet<>(values);
      own.retainAll(file.outputs());
      Map<String, Tensor> found = new HashMap<>(file.run(feed, own));
      canonical.ifPresent(session -> session.run(feed, values).forEach(found::putIfAbsent));
      return found;
    }

    @Override
    public void close() {
      file.close();
      canonical.ifPresent(Session::close);
    }
  }

  /** Names of the outputs that can be compared number by number, whether declared so or not. */
  public static List<String> floatingOutputs(Graph graph) {
    ValueTypes types = new ValueTypes(graph);
    return comparedOutputs(graph)
        .filter(
            output ->
                output
                    .type()
                    .or(() -> types.of(output.name()))
                    .map(ElementType::isFloating)
                    .orElse(false))
        .map(Value::name)
        .distinct()
        .toList();
  }

  /** All outputs but those of which a part is whatever was in memory. */
  private static Stream<Value> comparedOutputs(Graph graph) {
    return graph.outputs().stream()
        .filter(output -> !KeyValueBuffers.isGiven(graph, output.name()))
        .flatMap(output -> tensors(graph, output));
  }

  /** The output, or the tensors that a sequence is made of, as far as nodes make them. */
  private static Stream<Value> tensors(Graph graph, Value output) {
    Optional<Node> made =
        graph
            .producer(output.name())
            .filter(node -> node.is("SequenceConstruct") || node.is("SplitToSequence"));
    return made.isEmpty()
        ? Stream.of(output)
        : made.get().inputs().stream()
            .limit(made.get().is("SplitToSequence") ? 1 : Long.MAX_VALUE)
            .filter(value -> graph.producer(value).isPresent())
            .map(Value::undeclared);
  }
}
