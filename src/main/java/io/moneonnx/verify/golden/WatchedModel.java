package io.moneonnx.verify.golden;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.KeyValueBuffers;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.graph.ValueTypes;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.MoeFinder.Findings.Named;
import io.moneonnx.moe.Precision;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** A model that is run as it is, with what its routers choose in view. */
public final class WatchedModel implements AutoCloseable {
  private final Graph graph;
  private final List<Named> routers;
  private final Session session;
  private final Set<String> asked;

  private WatchedModel(Graph graph, List<Named> routers, Session session) {
    this.graph = graph;
    this.routers = routers;
    this.session = session;
    this.asked = new LinkedHashSet<>(compared().map(Value::name).toList());
    this.asked.addAll(taps(routers));
  }

  /**
   * Opens a model.
   *
   * @param name what messages call it
   * @param folder where its data files lie
   * @param routings decisions to look at; those within the body of a loop are out of sight
   */
  public static WatchedModel open(
      String name, Model model, Path folder, List<Named> routings, RunOptions options) {
    Graph graph = model.graph();
    List<Named> routers =
        routings.stream()
            .filter(routing -> taps(routing).allMatch(tap -> graph.producer(tap).isPresent()))
            .toList();
    GraphEdit edit = new GraphEdit(model);
    taps(routers).stream()
        .filter(tap -> !graph.isOutput(tap))
        .forEach(tap -> edit.addOutput(Value.undeclared(tap)));
    Model watched = taps(routers).isEmpty() ? model : edit.apply();
    return new WatchedModel(
        graph, routers, Session.open(name, options.fitting(watched), folder, options));
  }

  private static Set<String> taps(List<Named> routers) {
    Set<String> taps = new LinkedHashSet<>();
    routers.forEach(router -> taps(router).forEach(taps::add));
    return taps;
  }

  private static Stream<String> taps(Named router) {
    Choice choice = router.routing().choice();
    return Stream.concat(choice.shownBy().stream(), Stream.of(choice.scores())).distinct();
  }

  /** All outputs but those of which a part is whatever was in memory. */
  private Stream<Value> compared() {
    return graph.outputs().stream()
        .filter(output -> !KeyValueBuffers.isGiven(graph, output.name()));
  }

  /** What is held against later runs, in graph order. */
  List<Golden.Output> outputs() {
    ValueTypes types = new ValueTypes(graph);
    return compared()
        .map(Value::name)
        .map(name -> new Golden.Output(name, Precision.on(graph, types, name).map(Precision::type)))
        .toList();
  }

  /** Outputs that are not compared: mere room for keys and values. */
  public List<String> leftOut() {
    return graph.outputs().stream()
        .map(Value::name)
        .filter(name -> KeyValueBuffers.isGiven(graph, name))
        .toList();
  }

  List<Golden.Router> routers() {
    ValueTypes types = new ValueTypes(graph);
    return routers.stream()
        .map(
            router ->
                new Golden.Router(
                    router.name(),
                    router.routing().experts(),
                    router.routing().topK(),
                    Precision.on(graph, types, router.routing().choice().scores())
                        .map(Precision::type)))
        .toList();
  }

  /** Inputs that must be fed. */
  List<Value> inputs() {
    return graph.feeds();
  }

  /** Where it runs. */
  public Device device() {
    return session.device();
  }

  /** The outputs of one run by name, and what its routers chose. */
  Seen run(Batch fed) {
    Map<String, Tensor> values = session.run(fed.feeds(), asked);
    return new Seen(
        values,
        routers.stream().map(router -> new ExpertChoices(router.routing(), values)).toList());
  }

  /**
   * What is seen of one run.
   *
   * @param choices in the order of the routers
   */
  record Seen(Map<String, Tensor> values, List<ExpertChoices> choices) {}

  @Override
  public void close() {
    session.close();
  }
}
