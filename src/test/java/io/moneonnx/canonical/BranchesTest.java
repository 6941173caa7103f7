package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.UnknownFields;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BranchesTest {
  private static final String MERGED =
      """
      g (float[T] x, float[T] past, bool fed) => (float[T] z) <float w = {2}, float v = {3}> {
        a = Mul (x, w)
        y = If <then_branch = both () => (float[...] t) {
            s = Add (a, past)
            t = Mul (s, v)
          }, else_branch = one () => (float[...] e) {
            e = Mul (a, v)
          }> (fed)
        z = Neg (y)
      }
      """;

  private static Model model(String text) {
    return new Model(GraphText.parse(text), 8, Map.of("", 17L), Map.of(), UnknownFields.NONE);
  }

  private static Branches branches() {
    return Branches.of(model(MERGED)).orElseThrow();
  }

  private static String text(Graph graph) {
    return graph.toString();
  }

  @Test
  void takesEachBranchWithTheInputsThatItReads() {
    assertThat(text(branches().taken(true).graph()))
        .isEqualTo(
            text(
                model(
                        """
                        g (float[T] x, float[T] past) => (float[T] z) <float w = {2}, float v = {3}> {
                          a = Mul (x, w)
                          s = Add (a, past)
                          t = Mul (s, v)
                          y = Identity (t)
                          z = Neg (y)
                        }
                        """)
                    .graph()));
    assertThat(branches().taken(false).graph().inputs()).hasSize(1);
  }

  @Test
  void joinsWhatWasTaken() {
    Branches branches = branches();

    assertThat(text(branches.joined(branches.taken(true), branches.taken(false)).graph()))
        .isEqualTo(text(model(MERGED).graph()));
  }

  @Test
  void putsConstantsOfBothOutside() {
    Branches branches = branches();
    Model then = changed(branches.taken(true), "v");
    Model otherwise = changed(branches.taken(false), "v");

    assertThat(text(branches.joined(then, otherwise).graph()))
        .isEqualTo(text(changed(model(MERGED), "v").graph()));
  }

  /** With another value of a constant. */
  private static Model changed(Model model, String constant) {
    return model.withGraph(
        GraphText.parse(
            text(model.graph())
                .replace("float " + constant + " = {", "float " + constant + " = {7")));
  }

  @Test
  void refusesConstantsThatWouldDiffer() {
    Branches branches = branches();

    assertThatThrownBy(
            () -> branches.joined(changed(branches.taken(true), "v"), branches.taken(false)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'v' is outside of the branches");
  }

  @Test
  void refusesNodesThatWouldChange() {
    Branches branches = branches();
    Model then = model(text(branches.taken(true).graph()).replace("z = Neg (y)", "z = Abs (y)"));

    assertThatThrownBy(() -> branches.joined(then, branches.taken(false)))
        .hasMessageContaining("'z' is outside of the branches");
  }

  @Test
  void leavesOthersAlone() {
    String computed = MERGED.replace("(fed)", "(not)").replace("y = If", "not = Not (fed)  y = If");
    String hiding = MERGED.replace("t = Mul (s, v)", "w = Mul (s, v)  t = Neg (w)");

    assertThat(Branches.of(model(computed))).isEmpty();
    assertThat(Branches.of(model(hiding))).isEmpty();
  }
}
