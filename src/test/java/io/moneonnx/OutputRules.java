package io.moneonnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What holds of every rewritten model, whatever was rewritten. */
public final class OutputRules {
  private OutputRules() {}

  public static void hold(Model before, Model after) {
    addsOnnxOperatorsOnly(before, after);
    namesEveryNodeOnce(before.graph(), after.graph());
    keepsNothingUnused(after);
    declaresNothingOfWhatChanged(before.graph(), after.graph());
    keepsTheSignature(before, after);
    picksNumbersFromNoAddedInitializer(before.graph(), after.graph());
  }

  /** ONNX Runtime's quantiser to 4 bits takes each initializer behind a Gather for a weight. */
  private static void picksNumbersFromNoAddedInitializer(Graph before, Graph after) {
    for (Node node : after.nodes()) {
      String from = node.input(0);
      if (node.is("Gather")
          && after.initializers().containsKey(from)
          && !before.initializers().containsKey(from)) {
        assertThat(after.initializers().get(from).tensor().dims()).as(from).hasSizeGreaterThan(1);
      }
    }
  }

  private static void addsOnnxOperatorsOnly(Model before, Model after) {
    Set<String> present = operators(before.graph());
    present.removeAll(
        operators(before.graph()).stream().filter(name -> name.startsWith(":")).toList());
    assertThat(operators(after.graph()))
        .allMatch(name -> name.startsWith(":") || present.contains(name));
    assertThat(before.opsets()).containsAllEntriesOf(after.opsets());
    assertThat(after.opset()).isEqualTo(before.opset());
    assertThat(after.irVersion()).isEqualTo(before.irVersion());
  }

  private static Set<String> operators(Graph graph) {
    Set<String> found = new HashSet<>();
    all(graph).forEach(node -> found.add(node.domain() + ":" + node.opType()));
    return found;
  }

  private static List<Node> all(Graph graph) {
    List<Node> nodes = new ArrayList<>(graph.nodes());
    graph.nodes().forEach(node -> node.subgraphs().forEach(body -> nodes.addAll(all(body))));
    return nodes;
  }

  private static void namesEveryNodeOnce(Graph before, Graph after) {
    List<String> old = before.nodes().stream().map(Node::name).toList();
    List<String> added =
        after.nodes().stream().map(Node::name).filter(name -> !old.contains(name)).toList();
    assertThat(added).doesNotContain("").doesNotHaveDuplicates();
    List<String> outputs = after.nodes().stream().flatMap(node -> node.outputs().stream()).toList();
    assertThat(outputs.stream().filter(name -> !name.isEmpty())).doesNotHaveDuplicates();
  }

  private static void keepsNothingUnused(Model after) {
    assertThat(DeadCode.remove(after.graph())).hasToString(after.graph().toString());
    Set<String> domains = new HashSet<>(Set.of(""));
    all(after.graph()).forEach(node -> domains.add(node.domain()));
    assertThat(after.opsets().keySet()).isSubsetOf(domains);
  }

  /** What is still declared is made by the same nodes from the same values as before. */
  private static void declaresNothingOfWhatChanged(Graph before, Graph after) {
    for (String value : after.declared().keySet()) {
      assertThat(cone(after, value)).as(value).isEqualTo(cone(before, value));
    }
  }

  private static Set<String> cone(Graph graph, String value) {
    return Reach.backward(graph, List.of(value), ignored -> false);
  }

  private static void keepsTheSignature(Model before, Model after) {
    assertThat(after.graph().feeds()).isEqualTo(before.graph().feeds());
    assertThat(after.graph().outputs()).isEqualTo(before.graph().outputs());
    assertThat(after.metadata()).containsAllEntriesOf(before.metadata());
    assertThat(after.metadata()).containsKey("expert_substitution");
  }
}
