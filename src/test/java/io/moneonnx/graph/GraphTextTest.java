package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class GraphTextTest {
  private static final String EVERYTHING =
      """
      everything (float[T, 4] x, bool go, int64[...] any) => (float[T, 4] y, int64[T, 2] e)
      <int64[1] k = {2},
       float[4, 8] router,
       float low = {-inf},
       float[3] odd = {inf, NaN, 1.5E-20}>
      {
        p = MatMul (x, router)
        w, e = TopK <axis = -1, largest = 1> (p, k)
        "", least = TopK <largest = 0> (p, k)
        cut = Clip (w, , low)
        zeros = ConstantOfShape <value = float[1] {0.0}> (k)
        named = com.microsoft.Thing <mode = "fast", alpha = 1.702, sizes = [1, 2], scales = [0.5, 1.5]> (cut)
        y = If <then_branch = then () => (float[T, 4] a)
          {
            a = Add (x, named)
          }, else_branch = other () => (float[T, 4] b)
          {
            b = Identity (x)
          }> (go)
      }
      """;

  @Test
  void printsWhatItReads() {
    assertThat(GraphText.print(GraphText.parse(EVERYTHING))).isEqualTo(EVERYTHING);
  }

  @Test
  void readsWhatItPrints() {
    Graph once = GraphText.parse(EVERYTHING);
    Graph twice = GraphText.parse(GraphText.print(once));

    assertThat(twice.inputs()).isEqualTo(once.inputs());
    assertThat(twice.outputs()).isEqualTo(once.outputs());
    assertThat(twice.initializers()).isEqualTo(once.initializers());
    assertThat(twice.nodes().subList(0, 6)).isEqualTo(once.nodes().subList(0, 6));
  }

  @Test
  void keepsTypesOfAttributesApart() {
    Node thing = GraphText.parse(EVERYTHING).producer("named").orElseThrow();

    assertThat(thing.domain()).isEqualTo("com.microsoft");
    assertThat(thing.attributes())
        .containsEntry("mode", Attribute.of("fast"))
        .containsEntry("alpha", new Attribute.OfFloat(1.702f))
        .containsEntry("sizes", Attribute.ints(1L, 2L))
        .containsEntry("scales", new Attribute.OfFloats(List.of(0.5f, 1.5f)));
  }

  @Test
  void knowsWhichInputsAndOutputsAreLeftOut() {
    Graph graph = GraphText.parse(EVERYTHING);

    assertThat(graph.producer("cut").orElseThrow().inputs()).containsExactly("w", "", "low");
    assertThat(graph.producer("least").orElseThrow().outputs()).containsExactly("", "least");
  }

  @Test
  void tellsShapesWithoutDimensionsFromUnknownOnes() {
    List<Value> inputs = GraphText.parse(EVERYTHING).inputs();

    assertThat(inputs.get(0).shape()).contains(List.of(Dimension.of("T"), Dimension.of(4)));
    assertThat(inputs.get(1).shape()).contains(List.of());
    assertThat(inputs.get(2).shape()).isEmpty();
  }

  @Test
  void fillsConstantsByTheirNamesAlone() {
    Tensor w = GraphText.parse("g () => () <float[9] w> {}").constant("w").orElseThrow();
    Tensor again = GraphText.parse("h () => () <float[2] v, float[9] w> {}").constant("w").get();
    Tensor other = GraphText.parse("g () => () <float[9] v> {}").constant("v").orElseThrow();

    assertThat(again).isEqualTo(w);
    assertThat(other).isNotEqualTo(w);
  }

  @Test
  void passesOverComments() {
    assertThat(
            GraphText.parse(
                    """
                    // nothing is done
                    g (float x) => (float x) // at all
                    {
                    }
                    """)
                .nodes())
        .isEmpty();
  }

  @Test
  void saysWhatItWanted() {
    assertThatThrownBy(() -> GraphText.parse("g (float x) -> (float y) { }"))
        .hasMessage("graph text: expected '=>', found '-' after 'g ( float x )'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"g () => () {} g", "g () => () { y = Relu (x) ", "g () => () { ; }"})
  void refusesWhatIsNoGraph(String text) {
    assertThatThrownBy(() -> GraphText.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("graph text");
  }
}
