package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ExpertGroupingTest {
  @Test
  void goesOnWithOnePartForEachExpert() {
    assertThat(
            ExpertGrouping.complete(
                Map.of(1, List.of("b"), 0, List.of("a")),
                Set.of(),
                of(2),
                ExpertGroupingTest::joined))
        .isEqualTo(new Recognition.NotThisForm("[a, b]"));
    assertThat(
            ExpertGrouping.complete(
                Map.of(1, List.of("b", "c"), 0, List.of("a")),
                Set.of(),
                of(2),
                ExpertGroupingTest::joined))
        .isEqualTo(new Recognition.Refused("two regions for expert 1"));
    assertThat(
            ExpertGrouping.complete(
                Map.of(1, List.of("b")), Set.of(), of(2), ExpertGroupingTest::joined))
        .isEqualTo(new Recognition.Refused("1 expert regions for 2 router outputs; missing: 0"));
  }

  @Test
  void asksForNoPartOfExpertsThatWerePrunedBefore() {
    Map<Integer, List<String>> found = Map.of(3, List.of("d"), 0, List.of("a"));

    assertThat(
            ExpertGrouping.complete(
                found, Set.of(), of(4).after(Set.of(1, 2, 3)), ExpertGroupingTest::joined))
        .isEqualTo(new Recognition.NotThisForm("[a, d]"));
    assertThat(
            ExpertGrouping.complete(
                found, Set.of(), of(4).after(Set.of(1)), ExpertGroupingTest::joined))
        .isEqualTo(new Recognition.Refused("2 expert regions for 4 router outputs; missing: 2"));
  }

  @Test
  void theLastOutputsMayHaveNoPart() {
    Map<Integer, List<String>> found = Map.of(0, List.of("a"), 1, List.of("b"));

    assertThat(ExpertGrouping.complete(found, Set.of(), of(4), ExpertGroupingTest::joined))
        .isEqualTo(new Recognition.NotThisForm("[a, b]"));
    assertThat(ExpertGrouping.complete(found, Set.of(), of(5), ExpertGroupingTest::joined))
        .isEqualTo(
            new Recognition.Refused("2 expert regions for 5 router outputs; missing: 2, 3, 4"));
    assertThat(ExpertGrouping.complete(found, Set.of(3), of(4), ExpertGroupingTest::joined))
        .isEqualTo(new Recognition.Refused("2 expert regions for 4 router outputs; missing: 2, 3"));
  }

  private static Routing of(int experts) {
    return new Routing(
        new Choice.Hidden("scores", TieRule.LOWER_ID), 1, experts, 4, "x", "router", "unknown");
  }

  private static Recognition joined(List<String> parts) {
    return new Recognition.NotThisForm(parts.toString());
  }

  @Test
  void putsPartsInTheOrderOfTheirIds() {
    assertThat(ExpertGrouping.inOrder(Map.of(2, "c", 0, "a", 1, "b"), 3))
        .containsExactly("a", "b", "c");
    assertThat(ExpertGrouping.incomplete(Map.of(2, "c", 0, "a", 1, "b"), 3)).isEmpty();
  }

  @Test
  void saysWhichAreMissing() {
    assertThat(ExpertGrouping.incomplete(Map.of(2, "c", 0, "a"), 5))
        .isEqualTo("2 expert regions for 5 router outputs; missing: 1, 3, 4");
  }

  @Test
  void saysWhichAreStrange() {
    assertThat(ExpertGrouping.incomplete(Map.of(0, "a", 1, "b", 9, "j", -1, "z"), 2))
        .isEqualTo("expert regions for ids -1, 9, but the router has 2 outputs");
  }
}
